//! What is deployed: the template, the artifacts, a stage in a local AWS, and the same from the
//! CDK.

mod artifacts;
mod cdk;
mod check;
mod cloudformation;
mod deploy_role;
mod local_aws;
mod logins;
mod prepare;
mod shape;
mod template;
mod tools;
mod workflow;
