//! A workflow of GitHub Actions.

use super::quote::yaml;
use super::{Plan, Repository, add};
use crate::base::text::shell_word;

/// Returns the workflow.
pub(super) fn render(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let when = yaml(&plan.when.cron(plan.moment()));
    let minutes = plan.when.timeout() / 60;
    let mut out = format!(
        "# .github/workflows/{name}.yml\n{}\
         name: {name}\non:\n  schedule:\n    - cron: {when}\n  workflow_dispatch:\n\
         permissions: {{}}\nconcurrency:\n  group: {name}\n  cancel-in-progress: false\n\
         jobs:\n  backup:\n    runs-on: ubuntu-latest\n    timeout-minutes: {minutes}\n    \
         permissions:\n      contents: read\n      id-token: write # to sign in to the cloud\n    \
         steps:\n",
        hints(plan)
    );
    for step in steps(plan) {
        for (number, line) in step.lines().enumerate() {
            let space = if number == 0 { "      - " } else { "        " };
            add(&mut out, format_args!("{space}{line}\n"));
        }
    }
    out
}

fn hints(plan: &Plan) -> String {
    let mut out = "# GitHub counts in UTC, and begins late when it is busy.\n".to_owned();
    for cloud in clouds(plan) {
        add(&mut out, format_args!("# {}\n", cloud.hint));
    }
    if let Some(key) = &plan.signing_key {
        let file = shell_word(key);
        add(
            &mut out,
            format_args!("# The key that signs: gh secret set TFSTATE_SIGNING_KEY < {file}\n"),
        );
    }
    out + &plan.before_the_first_run()
}

/// A cloud, and how a workflow signs in there without a password.
struct Cloud {
    scheme: &'static str,
    hint: &'static str,
    step: &'static str,
}

const CLOUDS: [Cloud; 3] = [
    Cloud {
        scheme: "s3://",
        hint: "The role to take in AWS: gh variable set AWS_ROLE and AWS_REGION",
        step: "name: Sign in to AWS\nuses: aws-actions/configure-aws-credentials@v4\nwith:\n  \
               role-to-assume: ${{ vars.AWS_ROLE }}\n  aws-region: ${{ vars.AWS_REGION }}\n",
    },
    Cloud {
        scheme: "gs://",
        hint: "Whom to be in Google Cloud: gh variable set GCP_PROVIDER and GCP_SERVICE_ACCOUNT",
        step: "name: Sign in to Google Cloud\nuses: google-github-actions/auth@v2\nwith:\n  \
               workload_identity_provider: ${{ vars.GCP_PROVIDER }}\n  \
               service_account: ${{ vars.GCP_SERVICE_ACCOUNT }}\n",
    },
    Cloud {
        scheme: "az://",
        hint: "Whom to be in Azure: gh variable set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_SUBSCRIPTION_ID",
        step: "name: Sign in to Azure\nuses: azure/login@v2\nwith:\n  \
               client-id: ${{ vars.AZURE_CLIENT_ID }}\n  \
               tenant-id: ${{ vars.AZURE_TENANT_ID }}\n  \
               subscription-id: ${{ vars.AZURE_SUBSCRIPTION_ID }}\n",
    },
];

fn clouds(plan: &Plan) -> impl Iterator<Item = &'static Cloud> {
    let repository = match &plan.repository {
        Repository::Url(url) => Some(url.as_str()),
        Repository::OfRunner | Repository::Folder(_) => None,
    };
    let places = plan.states.iter().map(super::State::text).chain(repository);
    let places: Vec<String> = places.map(str::to_ascii_lowercase).collect();
    let is_used = move |cloud: &&Cloud| places.iter().any(|place| place.starts_with(cloud.scheme));
    CLOUDS.iter().filter(is_used)
}

fn steps(plan: &Plan) -> Vec<String> {
    let mut steps = Vec::new();
    if plan.is_local() {
        let checkout = "uses: actions/checkout@v4\nwith:\n  persist-credentials: false\n";
        steps.push(checkout.to_owned());
    }
    steps.extend(clouds(plan).map(|cloud| cloud.step.to_owned()));
    steps.push(
        "name: Install\nenv:\n  TFSTATE_GIT: https://git.example.com/tfstate.git\n\
         run: cargo install --locked --git \"$TFSTATE_GIT\" tfstate\n"
            .to_owned(),
    );
    let Plan { name, .. } = plan;
    steps.push(format!(
        "name: What is known of the last run\nuses: actions/cache@v4\nwith:\n  \
         path: ~/.cache/tfstate\n  key: {name}-${{{{ github.run_id }}}}\n  \
         restore-keys: {name}-\n"
    ));
    if plan.signing_key.is_some() {
        steps.push(
            "name: Signing key\nenv:\n  KEY: ${{ secrets.TFSTATE_SIGNING_KEY }}\nrun: |\n  \
             umask 077\n  printf '%s\\n' \"$KEY\" > \"$RUNNER_TEMP/signing-key\"\n  \
             echo \"TFSTATE_SIGNING_KEY_FILE=$RUNNER_TEMP/signing-key\" >> \"$GITHUB_ENV\"\n"
                .to_owned(),
        );
    }
    steps.push(backup(plan));
    steps
}

fn backup(plan: &Plan) -> String {
    let mut command = "tfstate".to_owned();
    for argument in plan.arguments(None) {
        command.push(' ');
        command += &shell_word(&argument);
    }
    let mut variables = String::new();
    for (name, value) in &plan.variables {
        add(&mut variables, format_args!("  {name}: {}\n", yaml(value)));
    }
    let variables = if variables.is_empty() { variables } else { format!("env:\n{variables}") };
    format!("name: Back up\n{variables}run: |\n  umask 077\n  {command}\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, hostile, plan, scalars};
    use super::super::{Error, Runner, State};
    use super::*;

    #[test]
    fn a_workflow() {
        insta::assert_snapshot!(plan().render(Runner::Github).unwrap(), @r#"
        # .github/workflows/tfstate-backup.yml
        # GitHub counts in UTC, and begins late when it is busy.
        # The role to take in AWS: gh variable set AWS_ROLE and AWS_REGION
        # The key that signs: gh secret set TFSTATE_SIGNING_KEY < /etc/tfstate/signing.key
        # The key that signs makes it, or is let in: `tfstate repo authorize`, with what
        # `tfstate repo info --signing-key FILE` calls this key.
        name: tfstate-backup
        on:
          schedule:
            - cron: "54 * * * *"
          workflow_dispatch:
        permissions: {}
        concurrency:
          group: tfstate-backup
          cancel-in-progress: false
        jobs:
          backup:
            runs-on: ubuntu-latest
            timeout-minutes: 60
            permissions:
              contents: read
              id-token: write # to sign in to the cloud
            steps:
              - name: Sign in to AWS
                uses: aws-actions/configure-aws-credentials@v4
                with:
                  role-to-assume: ${{ vars.AWS_ROLE }}
                  aws-region: ${{ vars.AWS_REGION }}
              - name: Install
                env:
                  TFSTATE_GIT: https://git.example.com/tfstate.git
                run: cargo install --locked --git "$TFSTATE_GIT" tfstate
              - name: What is known of the last run
                uses: actions/cache@v4
                with:
                  path: ~/.cache/tfstate
                  key: tfstate-backup-${{ github.run_id }}
                  restore-keys: tfstate-backup-
              - name: Signing key
                env:
                  KEY: ${{ secrets.TFSTATE_SIGNING_KEY }}
                run: |
                  umask 077
                  printf '%s\n' "$KEY" > "$RUNNER_TEMP/signing-key"
                  echo "TFSTATE_SIGNING_KEY_FILE=$RUNNER_TEMP/signing-key" >> "$GITHUB_ENV"
              - name: Back up
                run: |
                  umask 077
                  tfstate backup --repo s3://acme-backup/tfstate --strategy auto --recipient age1abc 's3://acme-tf/prod/**/*.tfstate'
        "#);
    }

    #[test]
    fn a_workflow_signs_in_where_its_states_are() {
        let places = ["GS://b/k", "az://c/k", "envs/prod/terraform.tfstate"];
        let parsed = places.map(|place| State::parse(place).unwrap());
        let plan = Plan { states: parsed.to_vec(), ..plan() };
        let found = scalars(&render(&plan));
        for action in ["actions/checkout@v4", "azure/login@v2", "google-github-actions/auth@v2"] {
            assert!(found.iter().any(|text| text == action), "{action}: {found:?}");
        }
    }

    #[test]
    fn a_workflow_without_a_key_of_its_own_is_refused() {
        let plan = Plan { signing_key: None, ..plan() };
        let refused = plan.render(Runner::Github);
        assert!(matches!(refused, Err(Error::NoSigningKey { .. })), "{refused:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_gets_a_hostile_word_as_it_was_typed() {
        let unit = hostile().render(Runner::Github).unwrap();
        let script = scalars(&unit).into_iter().rfind(|text| text.starts_with("umask")).unwrap();
        let script =
            format!("tfstate() {{ for word; do printf '<%s>\\n' \"$word\"; done; }}\n{script}");
        let ran = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        assert!(said.ends_with(&format!("<{HOSTILE}>\n")), "{said}");
    }
}
