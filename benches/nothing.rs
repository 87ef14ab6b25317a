//! The least a Rust program can do: what `--version` is measured against.

fn main() {
    println!("nothing 0.0.0");
}
