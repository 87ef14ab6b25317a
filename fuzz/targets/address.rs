//! Any text is an address or an error inside the text; an address that is printed is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::state::address::{Address, ConfigAddress, ModulePath};
use tfstate::state::path::Path;
use tfstate::state::provider::ProviderConfig;

fuzz_target!(|text: &str| {
    match text.parse::<Address>() {
        Ok(address) => assert_eq!(address.to_string().parse::<Address>(), Ok(address)),
        Err(error) => assert!(error.at <= text.len()),
    }
    if let Ok(module) = ModulePath::parse(text) {
        assert_eq!(ModulePath::parse(&module.to_string()), Ok(module));
    }
    if let Ok(path) = Path::parse(text) {
        assert_eq!(Path::parse(&path.to_string()), Ok(path));
    }
    let _ = (text.parse::<ConfigAddress>(), text.parse::<ProviderConfig>());
});
