//! The three calls of `DynamoDB`. Signatures are not verified, but must be there.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Memory;

pub(super) fn answer(memory: &mut Memory, target: &str, body: &[u8]) -> http::Response<Bytes> {
    let ask: Value = serde_json::from_slice(body).unwrap();
    if ask["TableName"] != "locks" {
        return refusal("ResourceNotFoundException", "no such table");
    }
    let id = |row: &Value| row["LockID"]["S"].as_str().unwrap().to_owned();
    let said = match target.rsplit('.').next().unwrap() {
        "PutItem" => {
            let id = id(&ask["Item"]);
            if ask.get("ConditionExpression").is_some() && memory.rows.contains_key(&id) {
                let why = "The conditional request failed";
                return refusal("ConditionalCheckFailedException", why);
            }
            memory.rows.insert(id, ask["Item"].clone());
            json!({})
        }
        "GetItem" => {
            assert_eq!(ask["ConsistentRead"], true);
            memory.rows.get(&id(&ask["Key"])).map_or(json!({}), |row| json!({"Item": row}))
        }
        "DeleteItem" => {
            memory.rows.remove(&id(&ask["Key"]));
            json!({})
        }
        other => panic!("{other}"),
    };
    http::Response::new(said.to_string().into())
}

fn refusal(kind: &str, message: &str) -> http::Response<Bytes> {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    let body = json!({"__type": kind, "message": message}).to_string();
    http::Response::builder().status(400).body(body.into()).unwrap()
}
