//! What filters match, how they print, and how they fail.

use proptest::prelude::*;

use super::*;
use crate::state::document::Document;

const STATE: &str = r#"{"version":4,"serial":1,"lineage":"l","outputs":{},"resources":[
  {"mode":"managed","type":"aws_vpc","name":"main","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
   "instances":[{"schema_version":1,"attributes":{"id":"vpc-1","cidr":"10.0.0.0/16","tags":{"env":"prod","Name":"Main VPC"},"n":null}}]},
  {"module":"module.network[\"prod\"]","mode":"managed","type":"aws_subnet","name":"web","provider":"provider[\"registry.terraform.io/hashicorp/aws\"].eu",
   "instances":[
     {"index_key":0,"schema_version":0,"attributes":{"id":"subnet-0","size":8,"when":"2026-03-01T12:00:00Z","zones":["a","b"],
        "rules":[{"port":80},{"port":443.0}],"tag":[{"key":"env","value":"dev"}],"ver":"1.10"},"dependencies":["aws_vpc.main"]},
     {"index_key":"b","status":"tainted","schema_version":0,"attributes":{"id":"subnet-1","size":10,"when":"2026-05-01","zones":[],
        "labels":{"env":"dev"},"ver":"beta"},"dependencies":["module.network.data.aws_vpc.main"]}]},
  {"module":"module.network[\"prod\"].module.db","mode":"managed","type":"acme_db","name":"web_db","provider":"provider[\"acme.dev/acme/acme\"]",
   "instances":[{"schema_version":3,"attributes":{"id":"db","password":"S3CR3T","\u0074ags":{"owner":"me"},"map":{"80":"x"}},"dependencies":["module.network.aws_vpc.main"]},
                {"deposed":"00000001","schema_version":3,"attributes":{"id":"old"}}]},
  {"module":"module.net2","mode":"data","type":"aws_ami","name":"Web","provider":"provider.aws",
   "instances":[{"schema_version":0,"attributes":{"id":"S3CR3T","tags":null},"sensitive_attributes":[[{"type":"get_attr","value":"id"}]]}]}]}"#;

/// One letter for each instance, in the order of the addresses.
const LETTERS: [(char, &str); 6] = [
    ('v', "aws_vpc.main"),
    ('a', "module.net2.data.aws_ami.Web"),
    ('0', "module.network[\"prod\"].aws_subnet.web[0]"),
    ('1', "module.network[\"prod\"].aws_subnet.web[\"b\"]"),
    ('d', "module.network[\"prod\"].module.db.acme_db.web_db"),
    ('o', "module.network[\"prod\"].module.db.acme_db.web_db"),
];

fn document() -> Document {
    Document::parse(STATE.as_bytes().to_vec()).unwrap()
}

fn letter(instance: Instance<'_>) -> char {
    let address = instance.address_text();
    let is_it = |(letter, known): &&(char, &str)| {
        *known == address && (*letter == 'o') == instance.is_deposed()
    };
    LETTERS.iter().find(is_it).unwrap().0
}

fn matched(filter: &str) -> String {
    let filter: Filter = filter.parse().unwrap();
    let document = document();
    document.instances().filter(|it| filter.matches(*it)).map(letter).collect()
}

fn check(cases: &[(&str, &str)]) {
    for (filter, expected) in cases {
        assert_eq!(matched(filter), *expected, "{filter}");
    }
}

#[test]
fn text_is_looked_for_in_the_address() {
    check(&[
        ("", "va01do"),
        ("  ", "va01do"),
        ("web", "a01do"),
        ("Web", "a"),
        ("\"web\"", "01do"),
        ("net*web", "a01do"),
        ("w?b[", "01"),
        ("web[\"b\"]", "1"),
        ("/web\\[\\d/", "0"),
        ("vpc,db", "vdo"),
        ("nothing", ""),
    ]);
}

#[test]
fn terms_combine_with_and_or_not_and_parentheses() {
    check(&[
        ("web db", "do"),
        ("web and db", "do"),
        ("vpc | db", "vdo"),
        ("vpc or db -is:deposed", "vd"),
        ("(vpc or db) -is:deposed", "vd"),
        ("!web", "v"),
        ("not web", "v"),
        ("- - web", "a01do"),
        ("-(web | vpc)", ""),
        ("not(vpc)web", "a01do"),
        ("\"or\"", "01do"),
    ]);
}

#[test]
fn names_and_keys_are_compared_as_a_whole() {
    check(&[
        ("type:aws_*", "va01"),
        ("type:aws", ""),
        ("type:aws_vpc,acme_db", "vdo"),
        ("type=aws_vpc", "v"),
        ("type:!=aws_vpc", "a01do"),
        ("type~^aws", "va01"),
        ("type:/vpc|db/", "vdo"),
        ("type!~^aws", "do"),
        ("name:web", "01"),
        ("name:web*", "01do"),
        ("name:\"web*\"", ""),
        ("addr:aws_vpc.main", "v"),
        ("addr:module.*.web*", "01do"),
        ("key:0", "0"),
        ("key:b", "1"),
        ("key:*", "01"),
        ("-key:*", "vado"),
        ("key!=0", "1"),
        ("mode:data", "a"),
        ("mode!=data", "v01do"),
    ]);
}

#[test]
fn a_module_is_meant_with_all_below_it() {
    check(&[
        ("module:network", "01do"),
        ("module:network.*", "01do"),
        ("module:module.network.*", "01do"),
        ("module:network[\"prod\"]", "01do"),
        ("module:network[prod]", "01do"),
        ("module:network[\"p*\"]", ""),
        ("module:network[p*]", "01do"),
        ("module:network[0]", ""),
        ("module:\"module.network[\\\"prod\\\"]\"", "01do"),
        ("module:network.db", "do"),
        ("module:network.module.db", "do"),
        ("module:net*", "a01do"),
        ("module:*", "a01do"),
        ("module:*.db", "do"),
        ("module:db", ""),
        ("module:\"\"", "v"),
        ("is:root", "v"),
        ("module:/\\.db$/", "do"),
        ("module!=network", "va"),
    ]);
}

#[test]
fn a_provider_has_several_names() {
    check(&[
        ("provider:aws", "va01"),
        ("provider:hashicorp/aws", "v01"),
        ("provider:registry.terraform.io/hashicorp/aws", "v01"),
        ("provider:aws.eu", "01"),
        ("provider:hashicorp/aws.eu", "01"),
        ("provider:acme", "do"),
        ("provider:*/acme", "do"),
        ("provider!=aws", "do"),
    ]);
}

#[test]
fn an_id_is_known_by_its_beginning() {
    check(&[
        ("id:subnet", "01"),
        ("id:subnet-1", "1"),
        ("id:*-1", "v1"),
        ("id:\"subnet\"", ""),
        ("id:\"db\"", "d"),
        ("id~1$", "v1"),
        ("id:1", ""),
    ]);
}

#[test]
fn attributes_compare_by_what_they_are() {
    check(&[
        ("attr:size=8", "0"),
        ("attr:size=8.0", "0"),
        ("attr:size=\"8.0\"", ""),
        ("attr:size>8", "1"),
        ("attr:size>=8", "01"),
        ("attr:size<10", "0"),
        ("attr:size<=10", "01"),
        ("attr:size!=8", "1"),
        ("attr:size=8,10", "01"),
        ("attr:ver=1.1", "0"),
        ("attr:ver>1.09", "0"),
        ("attr:ver>b", "1"),
        ("attr:when>2026-04-01", "1"),
        ("attr:when<2026-03-01T12:00:01Z", "0"),
        ("attr:when=2026-03-01T13:00:00+01:00", "0"),
        ("attr:when=2026-03*", "0"),
        ("attr:zones=b", "0"),
        ("attr:zones[0]=b", ""),
        ("attr:zones!=b", ""),
        ("attr:zones!=c", "0"),
        ("attr:rules[*].port=443", "0"),
        ("attr:rules.*.port>80", "0"),
        ("attr:map.80=x", "d"),
        ("attr:map[\"80\"]=x", "d"),
        ("attr:cidr~^10\\.", "v"),
        ("attr:cidr!~^10\\.", ""),
        ("attr:cidr=/16$/", "v"),
        ("attr:n=null", "v"),
        ("attr:n!=x", ""),
        ("attr:n", ""),
        ("attr:cidr", "v"),
        ("attr:size,cidr=8,10.*", "v0"),
    ]);
}

#[test]
fn tags_are_found_in_all_their_places() {
    check(&[
        ("tag:env=prod", "v"),
        ("tag:env=dev", "01"),
        ("tag:env=*", "v01"),
        ("tag:env!=prod", "01"),
        ("-tag:env=prod", "a01do"),
        ("tag:env", "v01"),
        ("tag:owner", "d"),
        ("tag:N*=\"Main VPC\"", "v"),
        ("tag:owner,env=me,prod", "vd"),
        ("!tag:env", "ado"),
    ]);
}

#[test]
fn dependencies_are_named_with_or_without_their_module() {
    check(&[
        ("dep:aws_vpc.main", "0d"),
        ("dep:aws_vpc.main[3]", "0d"),
        ("dep:module.network.aws_vpc.main", "d"),
        ("dep:module.network[\"x\"].aws_vpc.main", "d"),
        ("dep:data.aws_vpc.main", "1"),
        ("dep:vpc.main", ""),
        ("dep:module.network.*", "1d"),
        ("dep:/vpc/", "01d"),
    ]);
}

#[test]
fn an_instance_is_and_has_what_it_says() {
    check(&[
        ("is:managed", "v01do"),
        ("is:data", "a"),
        ("is:tainted", "1"),
        ("is:deposed", "o"),
        ("is:sensitive", "ad"),
        ("is:tainted,deposed", "1o"),
        ("is:!=data", "v01do"),
        ("has:cidr", "v"),
        ("has:n", ""),
        ("has:password", "d"),
        ("has:rules[1].port", "0"),
        ("has:tags.owner,cidr", "vd"),
        ("schema:3", "do"),
        ("schema>=1", "vdo"),
        ("schema!=0", "vdo"),
        ("size>200B", "01"),
        ("size<1KB", "va01do"),
        ("size:>1MiB", ""),
    ]);
}

#[test]
fn sensitive_values_never_match_by_value() {
    check(&[
        ("attr:password=S3CR3T", ""),
        ("attr:password!=S3CR3T", ""),
        ("attr:password!=other", ""),
        ("attr:password~S", ""),
        ("attr:password>A", ""),
        ("attr:*=S3CR3T", ""),
        ("id:S3CR3T", ""),
        ("id!=other", "v01do"),
        ("id!=S3CR3T", "v01do"),
        ("-id:S3CR3T", "va01do"),
    ]);
}

#[test]
fn the_examples_of_the_fields_are_filters() {
    for field in fields() {
        assert!(field.example.parse::<Filter>().is_ok(), "{}", field.example);
        assert!(field.example.starts_with(field.name), "{}", field.example);
    }
}

#[test]
fn filters_join() {
    let all = Filter::all();
    assert!(all.is_empty());
    assert_eq!(all.to_string(), "");
    let one: Filter = "web | db".parse().unwrap();
    let both = all.and(one).and("is:tainted".parse().unwrap());
    assert_eq!(both.to_string(), "(web | db) is:tainted");
    assert_eq!(format!("{both:?}"), "Filter((web | db) is:tainted)");
    assert!(!both.is_empty());
}

#[test]
fn filters_print_as_they_are_read() {
    let cases = [
        (" a   and b or not ( c ) ", "a b | -c"),
        ("((a|b)|c)", "a | b | c"),
        ("-(a b) (c d)", "-(a b) c d"),
        ("type:=x", "type:x"),
        ("type:==x", "type:==x"),
        ("type!=x,y", "type:!=x,y"),
        ("size:>10KB", "size>10KB"),
        ("attr:a.b>=3 tag:x", "attr:a.b>=3 tag:x"),
        ("\"a \\\"b\\\" \\\\\" /a b\\/c/", "\"a \\\"b\\\" \\\\\" /a b\\/c/"),
        ("module:net[\"a b\"]", "module:net[\"a b\"]"),
    ];
    for (filter, printed) in cases {
        assert_eq!(filter.parse::<Filter>().unwrap().to_string(), printed, "{filter}");
    }
}

fn failure(filter: &str) -> String {
    let error = filter.parse::<Filter>().unwrap_err();
    let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{}\n{error}{hint}", error.caret(filter))
}

#[test]
fn an_unknown_field_is_told_with_the_nearest() {
    insta::assert_snapshot!(failure("web moduel:x"), @r#"
    web moduel:x
        ^^^^^^
    there is no field `moduel`
    hint: did you mean `module`?
    "#);
    insta::assert_snapshot!(failure("instance_type=t3.micro"), @r#"
    instance_type=t3.micro
    ^^^^^^^^^^^^^
    there is no field `instance_type`
    hint: an attribute is `attr:instance_type=…`; quote what is a part of the address
    "#);
    insta::assert_snapshot!(failure("is:taintd"), @r#"
    is:taintd
       ^^^^^^
    there is no `is:taintd`
    hint: did you mean `is:tainted`?
    "#);
    insta::assert_snapshot!(failure("mode:x"), @r#"
    mode:x
         ^
    there is no `mode:x`
    hint: it is one of managed, data
    "#);
}

#[test]
fn what_is_missing_or_too_much_is_shown_where_it_is() {
    insta::assert_snapshot!(failure("web | "), @r#"
    web | 
          ^
    expected something to look for
    "#);
    insta::assert_snapshot!(failure("(web db"), @r#"
    (web db
    ^
    the parenthesis is not closed
    "#);
    insta::assert_snapshot!(failure("web)"), @r#"
    web)
       ^
    a closing parenthesis without an opening one
    hint: quote it to look for it: ")"
    "#);
    insta::assert_snapshot!(failure("type:"), @r#"
    type:
         ^
    expected a value for `type`
    "#);
    insta::assert_snapshot!(failure("type:a,"), @r#"
    type:a,
           ^
    expected a value after the comma
    "#);
    insta::assert_snapshot!(failure("and x"), @r#"
    and x
    ^^^
    expected something to look for before `and`
    hint: quote it to look for it: "and"
    "#);
    insta::assert_snapshot!(failure("\"größe 日本\"x"), @r#"
    "größe 日本"x
                ^
    text right after a closing quote
    hint: write a space between two words, or \" for a quote within quotes
    "#);
    insta::assert_snapshot!(failure("名前 \u{1b} \"x"), @r#"
    名前 \u{1b} "x
                ^
    the quote is not closed
    "#);
    insta::assert_snapshot!(failure("attr:path=/var/log"), @r#"
    attr:path=/var/log
                   ^^^
    text right after a regular expression
    hint: quote text that begins with a slash: "/…"
    "#);
    insta::assert_snapshot!(failure("@saved"), @r#"
    @saved
    ^
    `@` where something to look for was expected
    hint: quote it to look for it: "@"
    "#);
}

#[test]
fn values_that_make_no_sense_are_refused() {
    insta::assert_snapshot!(failure("size>big"), @r#"
    size>big
         ^^^
    `big` is not a size such as 500, 10KB or 1.5GiB
    "#);
    insta::assert_snapshot!(failure("type>a"), @r#"
    type>a
        ^
    `type` can't be tested with `>`
    "#);
    insta::assert_snapshot!(failure("has:a=b"), @r#"
    has:a=b
         ^
    `has` can't be tested with `=`
    "#);
    insta::assert_snapshot!(failure("tag>3"), @r#"
    tag>3
       ^
    expected `:` and a name after `tag`
    "#);
    insta::assert_snapshot!(failure("schema:x"), @r#"
    schema:x
           ^
    `x` is not a whole number
    "#);
    insta::assert_snapshot!(failure("attr:a[x]=1"), @r#"
    attr:a[x]=1
          ^^^
    bad path of an attribute: a `[` without a number or a quoted key and `]`
    "#);
    insta::assert_snapshot!(failure("attr:a>/x/"), @r#"
    attr:a>/x/
           ^^^
    a regular expression after `>`
    "#);
    insta::assert_snapshot!(failure("has:/x/"), @r#"
    has:/x/
        ^^^
    a regular expression for a path
    "#);
    insta::assert_snapshot!(failure("module:a..b"), @r#"
    module:a..b
           ^^^^
    not a module
    hint: write it as `network`, `module.network` or `network["prod"].db`
    "#);
    insta::assert_snapshot!(failure("name:/a[/"), @r#"
    name:/a[/
         ^^^^
    bad regular expression: unclosed character class
    "#);
}

#[test]
fn deep_nesting_and_large_expressions_are_errors_and_not_a_crash() {
    for open in ["(", "-(", "!", "not ", "-"] {
        assert!(open.repeat(1_000_000).parse::<Filter>().is_err(), "{open}");
    }
    assert!("/a{1000}{1000}{1000}/".parse::<Filter>().is_err());
}

/// Filters that are likely to parse.
fn likely() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z0-9*?.\\[\\]=<>~!-]{1,6}",
        "\"[a-z \"\\\\\\n=]{0,4}\"",
        "/[a-z.]{0,3}/",
        Just("dev".to_owned()),
    ];
    let field = prop::sample::select(vec![
        "",
        "type:",
        "name~",
        "module:",
        "attr:size>",
        "attr:zones[*]=",
        "tag:env!=",
        "tag:",
        "has:",
        "is:",
        "size>",
        "dep:",
        "key:",
        "id:",
        "provider:",
        "mode=",
    ]);
    let term = (field, prop::collection::vec(value, 1..3))
        .prop_map(|(field, values)| format!("{field}{}", values.join(",")));
    let joint = prop::sample::select(vec![" ", " | ", " or ", " and ", " -", " !(", ") ", " not "]);
    prop::collection::vec((term, joint), 1..5).prop_map(|parts| {
        parts.into_iter().flat_map(|(term, joint)| [term, joint.to_owned()]).collect::<String>()
    })
}

/// Terms whose answers are known to differ.
fn known() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "web",
        "-web",
        "type:aws_*",
        "is:tainted",
        "attr:size>8",
        "tag:env=dev",
        "dep:aws_vpc.main",
        "(vpc | id:db)",
        "schema:0",
        "-has:cidr",
    ])
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.at.start <= error.at.end && error.at.end <= text.len(), "{error:?}");
            prop_assert!(text.get(error.at.clone()).is_some(), "{error:?}");
            prop_assert_eq!(error.caret(&text).lines().count(), 2);
        }
    }

    #[test]
    fn what_is_printed_is_read_back(text in likely()) {
        match text.parse::<Filter>() {
            Ok(filter) => {
                let printed = filter.to_string();
                let again = printed.parse::<Filter>();
                prop_assert!(again.is_ok(), "{text} as {printed}: {again:?}");
                let again = again.unwrap();
                prop_assert_eq!(again.to_string(), printed);
                let document = document();
                for instance in document.instances() {
                    prop_assert_eq!(filter.matches(instance), again.matches(instance));
                }
            }
            Err(error) => prop_assert!(text.get(error.at.clone()).is_some(), "{error:?}"),
        }
    }

    #[test]
    fn terms_side_by_side_all_have_to_match(terms in prop::collection::vec(known(), 1..5)) {
        let together: Filter = terms.join(" ").parse().unwrap();
        let either: Filter = terms.join("|").parse().unwrap();
        let alone: Vec<Filter> = terms.iter().map(|term| term.parse().unwrap()).collect();
        let document = document();
        for it in document.instances() {
            prop_assert_eq!(together.matches(it), alone.iter().all(|one| one.matches(it)));
            prop_assert_eq!(either.matches(it), alone.iter().any(|one| one.matches(it)));
        }
    }
}
