//! Leaves that know nothing of Terraform: files, text, time, the environment.
