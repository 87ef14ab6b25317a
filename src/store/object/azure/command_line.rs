//! Asking as whoever signed in with `az login`.

use reqsign_azure_storage::{AzureCliCredentialProvider, Credential};
use reqsign_command_execute_tokio::TokioCommandExecute;
use reqsign_core::{CommandExecute, CommandOutput, Context, ProvideCredential, Result};

/// Asks `az` for a token of this tenant, or of the one that it is set to.
pub(super) async fn credential(
    context: &Context,
    tenant: Option<&str>,
) -> Result<Option<Credential>> {
    let provider = AzureCliCredentialProvider::new();
    let Some(tenant) = tenant else { return provider.provide_credential(context).await };
    let within = Within { tenant: tenant.to_owned(), command: TokioCommandExecute };
    provider.provide_credential(&context.clone().with_command_execute(within)).await
}

/// Runs `az` for one tenant, which the library has no word for.
#[derive(Debug)]
struct Within<C> {
    tenant: String,
    command: C,
}

impl<C: CommandExecute> CommandExecute for Within<C> {
    async fn command_execute(&self, program: &str, args: &[&str]) -> Result<CommandOutput> {
        let args = [args, &["--tenant", &self.tenant]].concat();
        self.command.command_execute(program, &args).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::runtime;

    /// Gives out a token to whoever asks for it as `az` wants it.
    #[derive(Debug)]
    struct Az;

    impl CommandExecute for Az {
        async fn command_execute(&self, program: &str, args: &[&str]) -> Result<CommandOutput> {
            assert_eq!(program, "az");
            let line = args.join(" ");
            let asked = "account get-access-token --resource https://storage.azure.com/ \
                         --output json --tenant acme.example";
            let status = i32::from(line != asked);
            let stdout =
                br#"{"accessToken":"S3CR3T","expires_on":4102444800,"tokenType":"Bearer"}"#;
            Ok(CommandOutput { status, stdout: stdout.to_vec(), stderr: Vec::new() })
        }
    }

    #[test]
    fn the_token_is_of_the_tenant_that_was_set() {
        let token = |tenant: &str| {
            let within = Within { tenant: tenant.to_owned(), command: Az };
            let context = Context::new().with_command_execute(within);
            runtime::block_on(AzureCliCredentialProvider::new().provide_credential(&context))
                .unwrap()
        };
        assert!(token("acme.example").unwrap().is_some());
        assert!(token("other.example").is_err());
    }
}
