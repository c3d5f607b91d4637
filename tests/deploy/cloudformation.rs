//! A template as CloudFormation resolves it: parameters, conditions and functions. A value that
//! exists only after deployment becomes a name that describes it, independent of logical ids.
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A resolved template.
pub struct Stack {
    name: String,
    template: Value,
    parameters: Map<String, Value>,
    /// The resources, by logical id.
    pub resources: BTreeMap<String, Value>,
    /// The outputs, by name.
    pub outputs: BTreeMap<String, Value>,
}

impl Stack {
    pub fn new(name: &str, template: Value, parameters: Map<String, Value>) -> Self {
        let (resources, outputs) = (BTreeMap::new(), BTreeMap::new());
        let mut stack = Self { name: name.into(), template, parameters, resources, outputs };
        stack.resources = stack.made("Resources");
        stack.outputs =
            stack.made("Outputs").into_iter().map(|(k, v)| (k, v["Value"].clone())).collect();
        stack
    }

    /// The resources of a type.
    pub fn of_type(&self, r#type: &str) -> Vec<&Value> {
        self.resources.values().filter(|r| r["Type"] == r#type).map(|r| &r["Properties"]).collect()
    }

    /// The properties of the one resource of a type for which `is` holds.
    pub fn find(&self, r#type: &str, is: impl Fn(&Value) -> bool) -> &Value {
        let found: Vec<_> = self.of_type(r#type).into_iter().filter(|p| is(p)).collect();
        let [one] = found.as_slice() else { panic!("{} of {type}: {found:#?}", found.len()) };
        one
    }

    /// The properties of the one resource of a type.
    pub fn only(&self, r#type: &str) -> &Value {
        self.find(r#type, |_| true)
    }

    fn made(&self, section: &str) -> BTreeMap<String, Value> {
        let entries = self.template[section].as_object().unwrap().iter();
        let made = entries.filter(|(_, entry)| {
            entry.get("Condition").is_none_or(|condition| self.holds(condition))
        });
        made.filter_map(|(id, entry)| Some((id.clone(), self.resolve(entry)?))).collect()
    }

    /// Whether the condition of this name holds.
    fn holds(&self, name: &Value) -> bool {
        self.condition(&self.template["Conditions"][name.as_str().unwrap()])
    }

    fn condition(&self, condition: &Value) -> bool {
        let (function, arguments) = condition.as_object().unwrap().iter().next().unwrap();
        let all = || arguments.as_array().unwrap().iter();
        match function.as_str() {
            "Condition" => self.holds(arguments),
            "Fn::Not" => !self.condition(&arguments[0]),
            "Fn::And" => all().all(|argument| self.condition(argument)),
            "Fn::Or" => all().any(|argument| self.condition(argument)),
            "Fn::Equals" => self.text(&arguments[0]) == self.text(&arguments[1]),
            other => panic!("{other} is no condition"),
        }
    }

    /// The value; `None` if `AWS::NoValue` removes it.
    fn resolve(&self, value: &Value) -> Option<Value> {
        if let Some((name, arguments)) = function(value) {
            return self.call(name, arguments);
        }
        match value {
            Value::Object(members) => {
                let members = members.iter();
                Some(members.filter_map(|(k, v)| Some((k.clone(), self.resolve(v)?))).collect())
            }
            Value::Array(items) => Some(items.iter().filter_map(|v| self.resolve(v)).collect()),
            other => Some(other.clone()),
        }
    }

    fn call(&self, name: &str, arguments: &Value) -> Option<Value> {
        match name {
            "Ref" => self.reference(arguments.as_str().unwrap()),
            "Fn::GetAtt" => {
                let (id, attribute) = match arguments {
                    Value::String(both) => both.split_once('.').unwrap(),
                    both => (both[0].as_str().unwrap(), both[1].as_str().unwrap()),
                };
                let resource = &self.template["Resources"][id];
                if resource["Type"] == "AWS::SSM::Parameter" && attribute == "Value" {
                    return self.resolve(&resource["Properties"]["Value"]);
                }
                Some(json!(format!("{}.{attribute}", self.identity(id))))
            }
            "Fn::If" => self.resolve(&arguments[if self.holds(&arguments[0]) { 1 } else { 2 }]),
            "Fn::FindInMap" => {
                let [map, first, second] = [0, 1, 2].map(|n| self.text(&arguments[n]));
                Some(self.template["Mappings"][map][first][second].clone())
            }
            "Fn::Join" => {
                let parts = self.resolve(&arguments[1]).unwrap();
                let parts: Vec<_> =
                    parts.as_array().unwrap().iter().map(|part| self.text(part)).collect();
                Some(json!(parts.join(arguments[0].as_str().unwrap())))
            }
            "Fn::Split" => {
                let text = self.text(&arguments[1]);
                Some(text.split(arguments[0].as_str().unwrap()).collect())
            }
            "Fn::Sub" => Some(json!(self.substitute(arguments))),
            other => panic!("{other} is not known here"),
        }
    }

    fn text(&self, value: &Value) -> String {
        match self.resolve(value).unwrap() {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn substitute(&self, arguments: &Value) -> String {
        let none = json!({});
        let (text, values) = match arguments {
            Value::String(text) => (text.as_str(), &none),
            both => (both[0].as_str().unwrap(), &both[1]),
        };
        let mut parts = text.split("${");
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            out.push_str(&match (name.strip_prefix('!'), values.get(name), name.split_once('.')) {
                (Some(literal), ..) => ["${", literal, "}"].concat(),
                (None, Some(value), _) => self.text(value),
                (None, None, Some(_)) => self.text(&json!({ "Fn::GetAtt": name })),
                (None, None, None) => self.text(&json!({ "Ref": name })),
            });
            out.push_str(rest);
        }
        out
    }

    fn reference(&self, name: &str) -> Option<Value> {
        let value = match name {
            "AWS::NoValue" => return None,
            "AWS::StackName" => &self.name,
            "AWS::Region" => "us-east-1",
            "AWS::AccountId" => "123456789012",
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            name => match self.parameters.get(name) {
                Some(value) => return Some(value.clone()),
                None => &self.identity(name),
            },
        };
        Some(json!(value))
    }

    /// A name that describes what a resource is for.
    fn identity(&self, id: &str) -> String {
        let resource = &self.template["Resources"][id];
        let r#type = resource["Type"].as_str().unwrap_or_else(|| panic!("there is no {id}"));
        let property = |name: &str| self.text(&resource["Properties"][name]);
        match r#type {
            "AWS::Lambda::Function" => property("FunctionName"),
            "AWS::Lambda::Alias" => format!("{}:{}", property("FunctionName"), property("Name")),
            "AWS::Lambda::Version" => format!("{}:version", property("FunctionName")),
            "AWS::Logs::LogGroup" => property("LogGroupName"),
            "AWS::CloudWatch::Alarm" => property("AlarmDescription"),
            "AWS::IAM::Role" | "AWS::IAM::ManagedPolicy" => id.to_owned(),
            other => other.to_owned(),
        }
    }
}

/// The name and arguments of a CloudFormation function.
fn function(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, arguments) = members.iter().next()?;
    (name.starts_with("Fn::") || name == "Ref").then_some((name, arguments))
}
