//! The table of locks and digests in `DynamoDB`: three calls.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::bucket::digest;
use crate::store::object::client::{Client, Repeatable};
use crate::store::object::error::Fault;
use crate::store::{Error, LockInfo};

/// A table with the string key `LockID`.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    url: String,
    client: Client,
}

impl Table {
    /// Returns a table.
    pub(super) fn new(name: &str, url: &str, client: Client) -> Self {
        Self { name: name.to_owned(), url: format!("{url}/"), client }
    }

    /// Returns the error of doing something to the row of what is called `what`.
    pub(super) fn failed(&self, fault: Fault, doing: &'static str, what: &str) -> Error {
        let container = format!("table {} in DynamoDB", self.name);
        fault.while_doing(doing, format!("{what} in the table {}", self.name), &container)
    }

    /// Returns the table's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Writes the row of a lock, unless there is one; whether that is ours now.
    pub(super) async fn create_lock(&self, id: &str, info: &LockInfo) -> Result<bool, Fault> {
        let text = info.to_json();
        let item = json!({"LockID": {"S": id}, "Info": {"S": text}});
        let condition = "attribute_not_exists(LockID)";
        let ask = json!({"TableName": self.name, "Item": item, "ConditionExpression": condition});
        match self.call("PutItem", &ask, Safe::Once).await {
            Ok(_) => Ok(true),
            // Also where the answer was lost, the row tells whose it is.
            Err(fault)
                if fault.is_ambiguous() || fault.code() == "ConditionalCheckFailedException" =>
            {
                let found = self.text(id, "Info").await?;
                let is_ours = found.as_deref() == Some(text.as_str());
                if found.is_none() && fault.is_ambiguous() { Err(fault) } else { Ok(is_ours) }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Returns what the row of a lock says; nothing where there is none.
    pub(super) async fn lock(&self, id: &str) -> Result<Option<String>, Fault> {
        self.text(id, "Info").await
    }

    /// Deletes a row.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Fault> {
        let ask = json!({"TableName": self.name, "Key": {"LockID": {"S": id}}});
        self.call("DeleteItem", &ask, Safe::Again).await.map(drop)
    }

    /// Returns the digest that a row says; nothing where there is none, or none that can be one.
    pub(super) async fn digest(&self, id: &str) -> Result<Option<String>, Fault> {
        let found = self.text(id, "Digest").await?;
        let is_digest =
            |text: &String| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(found.filter(is_digest).map(|text| text.to_ascii_lowercase()))
    }

    /// Writes the digest of a state.
    pub(super) async fn set_digest(&self, id: &str, digest: &str) -> Result<(), Fault> {
        let item = json!({"LockID": {"S": id}, "Digest": {"S": digest}});
        let ask = json!({"TableName": self.name, "Item": item});
        self.call("PutItem", &ask, Safe::Again).await.map(drop)
    }

    /// Returns an attribute of a row as it is now.
    async fn text(&self, id: &str, attribute: &str) -> Result<Option<String>, Fault> {
        let ask = json!({
            "TableName": self.name,
            "Key": {"LockID": {"S": id}},
            "ConsistentRead": true,
        });
        let answer = self.call("GetItem", &ask, Safe::Again).await?;
        let Some(item) = answer.get("Item") else { return Ok(None) };
        let text = item.get(attribute).and_then(|value| value.get("S")).and_then(Value::as_str);
        // A row without it is a row all the same.
        Ok(Some(text.unwrap_or_default().to_owned()))
    }

    async fn call(&self, name: &str, ask: &Value, safe: Safe) -> Result<Value, Fault> {
        let body = Bytes::from(ask.to_string());
        let mut request = Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{name}"))
            .extension(digest(&body));
        if safe == Safe::Again {
            request = request.extension(Repeatable);
        }
        let request = request.body(body).map_err(|error| Fault::Other(error.to_string()))?;
        let answer = self.client.send(request).await?;
        let damaged = |_| Fault::Damaged("it is not JSON".to_owned());
        serde_json::from_slice(answer.body()).map_err(damaged)
    }
}

/// Whether a call may be repeated when nobody knows what became of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Safe {
    Once,
    Again,
}
