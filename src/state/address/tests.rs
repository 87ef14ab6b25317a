//! What Terraform 1.11 prints and refuses, as tables.

use std::cmp::Ordering;

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

const IDENTIFIER: &str = "[a-zA-Z_é日][a-zA-Z0-9_é日-]{0,8}";

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        Just(Key::None),
        (0..=i64::MAX).prop_map(Key::Int),
        any::<String>().prop_map(|text| Key::String(text.nfc().collect())),
        "[$%{}\"\\\\a]{0,8}".prop_map(Key::String),
    ]
}

fn module() -> impl Strategy<Value = ModulePath> {
    let step = (IDENTIFIER, key()).prop_map(|(name, key)| ModuleStep { name, key });
    proptest::collection::vec(step, 0..4).prop_map(ModulePath::from_iter)
}

fn address() -> impl Strategy<Value = Address> {
    let mode = prop_oneof![Just(Mode::Data), Just(Mode::Managed)];
    (module(), mode, IDENTIFIER, IDENTIFIER, key())
        .prop_map(|(module, mode, kind, name, key)| Address { module, mode, kind, name, key })
        .prop_filter("needs `resource.`", |address| {
            address.mode == Mode::Data || word::reserved(&address.kind).is_none()
        })
}

fn refused<T: std::fmt::Debug>(read: Result<T, Error>) -> (usize, Problem) {
    let error = read.unwrap_err();
    (error.at, error.problem)
}

#[test]
fn addresses_are_read_liberally_and_printed_exactly() {
    for (text, printed) in [
        ("t.n", "t.n"),
        (" t . n # comment", "t.n"),
        ("t\n.\r\n\tn // comment\n", "t.n"),
        ("/* a */ t /**/ . n /* b */", "t.n"),
        ("\u{feff}t.n", "t.n"),
        ("resource.t.n", "t.n"),
        ("resource.data.n", "data.n"),
        ("data.count.n", "data.count.n"),
        ("list.n", "list.n"),
        ("locals.x", "locals.x"),
        ("t-.n", "t-.n"),
        ("t.n[ 00 ]", "t.n[0]"),
        ("t.n[1e0]", "t.n[1]"),
        ("t.n[ /* x */ \"a\" # y\n]", r#"t.n["a"]"#),
        (r#"t.n["\u00e9"]"#, r#"t.n["é"]"#),
        (r#"t.n["$${x}"]"#, r#"t.n["$${x}"]"#),
        ("t.e\u{301}", "t.e\u{301}"),
        (
            r#"module.a["k"].module.b[0].data.t.n["x"]"#,
            r#"module.a["k"].module.b[0].data.t.n["x"]"#,
        ),
        ("module.data.module.module.t.n", "module.data.module.module.t.n"),
        ("module.m.resource.t.n", "module.m.t.n"),
    ] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), printed, "{text}");
    }
}

#[test]
fn a_type_called_like_a_keyword_is_read_back_only_with_its_prefix() {
    let address: Address = "resource.count.n".parse().unwrap();
    assert_eq!(address.to_string(), "count.n");
    assert_eq!(refused(Address::parse("count.n")), (0, Problem::Reserved("count")));
}

#[test]
fn a_bad_address_is_refused_where_it_is_bad() {
    use Problem::{
        DottedIndex, Ephemeral, Expected, LineBreak, NoResource, Number, Reserved, Trailing,
    };
    let name = Expected("a name");
    let key = Expected("a number or a string in double quotes");
    let close = Expected("`]`");
    let resource = Expected("`.` and the name of a resource");
    for (text, at, problem) in [
        ("", 0, name),
        ("  # x", 5, name),
        ("1t.n", 0, name),
        ("t", 1, resource),
        ("t[\"n\"]", 1, resource),
        ("t n", 2, resource),
        ("t\u{a0}.n", 1, resource),
        ("t.1n", 2, Expected("the name of a resource")),
        ("data", 4, Expected("`.` and a resource type")),
        ("data.t", 6, resource),
        ("data.t.n.x", 8, Trailing),
        ("t.n.x", 3, Trailing),
        ("t.n;", 3, Trailing),
        ("t.n\r", 3, Trailing),
        ("t.n /* x", 4, Trailing),
        ("t.n[0][0]", 6, Trailing),
        ("t.n[0].a", 6, Trailing),
        ("t.n.0", 3, DottedIndex),
        ("module.m.0.t.n", 8, DottedIndex),
        ("t.n[", 4, key),
        ("t.n[]", 4, key),
        ("t.n[-1]", 4, key),
        ("t.n[.5]", 4, key),
        ("t.n[*]", 4, key),
        ("t.n[true]", 4, key),
        ("t.n['a']", 4, key),
        ("t.n[0", 5, close),
        ("t.n[0x1]", 5, close),
        ("t.n[1_0]", 5, close),
        ("t.n[1.]", 5, close),
        ("t.n[\"a\"\"b\"]", 7, close),
        ("t.n[1.5]", 4, Number),
        ("t.n[9223372036854775808]", 4, Number),
        ("t.é[\"é\n\"]", 8, LineBreak),
        ("var.x", 0, Reserved("var")),
        ("module.m.self.x", 9, Reserved("self")),
        ("ephemeral.t.n", 0, Ephemeral),
        ("module", 6, Expected("`.` and the name of a module")),
        ("module[\"m\"].t.n", 6, Expected("`.` and the name of a module")),
        ("module.", 7, Expected("the name of a module")),
        ("module.m.", 9, name),
        ("module.m", 8, NoResource),
        ("module.m[0][1].t.n", 11, Trailing),
    ] {
        assert_eq!(refused(Address::parse(text)), (at, problem), "{text:?}");
    }
}

#[test]
fn a_module_path_is_nothing_but_modules() {
    for (text, printed) in [
        ("module.a", "module.a"),
        (" module . a # c", "module.a"),
        (r#"module.a["e\u0301"].module.b[1e0]"#, r#"module.a["é"].module.b[1]"#),
        ("module.e\u{301}", "module.e\u{301}"),
        ("module.a[\"\u{0}\"]", r#"module.a["\u0000"]"#),
    ] {
        assert_eq!(ModulePath::parse(text).unwrap().to_string(), printed, "{text:?}");
    }
    let module = Problem::Expected("`module.`");
    for (text, at, problem) in [
        ("", 0, Problem::Expected("a name")),
        (" a", 1, module),
        ("module.a.t.n", 9, Problem::Trailing),
        ("module.a.data", 9, Problem::Trailing),
        ("module.a[0][1]", 11, Problem::Trailing),
        (r#"module.a["${x}"]"#, 10, Problem::Template('$')),
    ] {
        assert_eq!(refused(ModulePath::parse(text)), (at, problem), "{text:?}");
    }
}

#[test]
fn a_module_contains_itself_and_what_is_inside() {
    let path = |text| ModulePath::parse(text).unwrap();
    assert!(ModulePath::root().contains(&path("module.a")));
    assert!(path("module.a").contains(&path("module.a")));
    assert!(path("module.a").contains(&path("module.a.module.b[0]")));
    assert!(!path("module.a").contains(&path("module.a[0]")));
    assert!(!path("module.a.module.b").contains(&path("module.a")));
    assert_eq!(path("module.a[0].module.b").without_keys(), ["a", "b"]);
}

#[test]
fn dependencies_lose_the_keys_of_modules() {
    for (text, printed) in [
        ("t.n", "t.n"),
        ("data.t.n", "data.t.n"),
        (r#"module.m["k"].module.c[0].data.t.n"#, "module.m.module.c.data.t.n"),
        ("output.x", "output.x"),
    ] {
        let address: ConfigAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), printed);
        assert_eq!(ConfigAddress::parse_exact(printed), Ok(address));
    }
    for (text, at, problem) in [
        ("t.n[0]", 3, Problem::Key),
        ("module.m", 8, Problem::NoResource),
        ("module.m]", 8, Problem::Trailing),
        ("var.x", 0, Problem::Reserved("var")),
        ("t.n.x", 3, Problem::Trailing),
        ("ephemeral.t.n", 0, Problem::Ephemeral),
        ("1.n", 0, Problem::Expected("a name")),
        ("module.m[-1].t.n", 9, Problem::Expected("a number or a string in double quotes")),
    ] {
        assert_eq!(refused(ConfigAddress::parse(text)), (at, problem), "{text}");
    }
    let keyed = ConfigAddress::parse_exact("module.a.module.b[0].t.n");
    assert_eq!(refused(keyed), (17, Problem::Key));
}

#[test]
fn an_address_knows_its_place_in_the_configuration() {
    let address: Address = r#"module.m["k"].data.t.n[0]"#.parse().unwrap();
    assert_eq!(address.config().to_string(), "module.m.data.t.n");
}

const LISTED: [&str; 16] = [
    "data.t.n",
    r#"aws_x.y["$${x}"]"#,
    "t.n",
    "t.n[2]",
    "t.n[10]",
    r#"t.n["0"]"#,
    r#"t.n["a"]"#,
    r#"t.n["é"]"#,
    "t-.a",
    "module.m.t.n",
    "module.m[2].t.n",
    "module.m[10].t.n",
    r#"module.m["k"].t.n"#,
    "module.n.data.t.n",
    "module.data.module.module.t.n",
    r#"module.m["k"].module.c[1].t.n[0]"#,
];

#[test]
fn addresses_sort_as_terraform_lists_them() {
    let listed: Vec<Address> = LISTED.iter().map(|text| text.parse().unwrap()).collect();
    let mut sorted = listed.clone();
    sorted.reverse();
    sorted.sort();
    assert_eq!(sorted, listed);
}

#[test]
fn config_addresses_sort_by_depth_first() {
    let listed = ["data.t.n", "a.n", "t.a", "t.n", "module.b.t.n", "module.a.module.a.data.t.n"];
    let mut sorted: Vec<ConfigAddress> = listed.iter().map(|text| text.parse().unwrap()).collect();
    sorted.reverse();
    sorted.sort();
    assert_eq!(sorted.iter().map(ToString::to_string).collect::<Vec<_>>(), listed);
}

#[test]
fn a_target_means_what_terraform_takes_it_for() {
    for (target, meant) in [
        ("t.n", &["t.n", "t.n[2]", "t.n[10]", r#"t.n["0"]"#, r#"t.n["a"]"#, r#"t.n["é"]"#][..]),
        ("t.n[2]", &["t.n[2]"]),
        (r#"t.n["2"]"#, &[]),
        (r#"t.n["e\u0301"]"#, &[r#"t.n["é"]"#]),
        ("data.t.n", &["data.t.n"]),
        ("module.m.t.n", &["module.m.t.n"]),
        ("module.m", &LISTED[9..13]),
        (r#"module.m["k"]"#, &[r#"module.m["k"].t.n"#, LISTED[15]]),
        (r#"module.m["k"].module.c"#, &[LISTED[15]]),
        (r#"module.m["k"].module.c[1].t.n"#, &[LISTED[15]]),
        ("module.m.module.c", &[]),
        ("module.data", &[LISTED[14]]),
    ] {
        let mut meant = meant.to_vec();
        if target == "module.m" {
            meant.push(LISTED[15]);
        }
        let wanted = Target::parse(target).unwrap();
        let found: Vec<&str> = LISTED
            .into_iter()
            .filter(|text| {
                let at: Address = text.parse().unwrap();
                wanted.matches(&at.module, at.mode, &at.kind, &at.name, &at.key)
            })
            .collect();
        assert_eq!(found, meant, "{target}");
    }
    assert_eq!(r"module . m".parse::<Target>().unwrap().to_string(), "module.m");
}

#[test]
fn an_error_says_what_and_where() {
    let said = |text| Address::parse(text).unwrap_err().to_string();
    assert_eq!(said(r#"t.n["${x}"]"#), "`${` starts a template: write `$${` at offset 5");
    assert_eq!(
        said("var.x"),
        "`var` is a reserved word: write `resource.var` for a resource type of this name at offset 0"
    );
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(address in address()) {
        prop_assert_eq!(address.to_string().parse(), Ok(address));
    }

    #[test]
    fn a_printed_module_path_is_read_back(module in module()) {
        prop_assume!(!module.is_root());
        prop_assert_eq!(module.to_string().parse(), Ok(module));
    }

    #[test]
    fn order_and_equality_agree(a in address(), b in address(), c in address()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        prop_assert_eq!(a.module.cmp(&b.module) == Ordering::Equal, a.module == b.module);
        prop_assert_eq!(a.config().cmp(&b.config()) == Ordering::Equal, a.config() == b.config());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_inside_itself(
        text in prop_oneof![any::<String>(), "(module|data|t|[\\.\\[\\]\"$%{\\\\/*# u0-9eé]){0,12}"]
    ) {
        let refused = [
            Address::parse(&text).err(),
            Target::parse(&text).err(),
            ModulePath::parse(&text).err(),
            ConfigAddress::parse(&text).err(),
            ConfigAddress::parse_exact(&text).err(),
        ];
        for error in refused.into_iter().flatten() {
            prop_assert!(text.is_char_boundary(error.at), "{:?} in {:?}", error, text);
        }
    }

    #[test]
    fn what_was_read_prints_to_something_that_reads_the_same(
        text in "(module\\.a|\\.|t|n|\\[0\\]|\\[\"[a$%{}]{0,4}\"\\]| |data){1,8}"
    ) {
        if let Ok(target) = Target::parse(&text) {
            prop_assert_eq!(Target::parse(&target.to_string()), Ok(target));
        }
    }
}
