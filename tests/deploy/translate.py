"""Prints a stage's template as SAM translates it for CloudFormation, with the parameters in samconfig.toml.

Run by the Python of the SAM CLI: translate.py STAGE [NAME=VALUE ...]
For a template file with its parameters in it: translate.py FILE STACK
"""
import json
import sys
from pathlib import Path

import tomlkit
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

root = Path(__file__).parents[2]
stage, *arguments = sys.argv[1:]
if stage.endswith(".json"):
    (stack,), overrides = arguments, []
    template = yaml_parse(Path(stage).read_text())
else:
    config = tomlkit.parse((root / "samconfig.toml").read_text())[stage]["global"]["parameters"]
    stack, overrides = config["stack_name"], [*config["parameter_overrides"], *arguments]
    template = yaml_parse((root / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Where `sam deploy` would upload the code.
            resource["Properties"]["CodeUri"] = "s3://artifacts/" + resource["Metadata"]["BuildProperties"]["Binary"]
parameters = CfnParameterOverridesType().convert(overrides, None, None) if overrides else {}
for name, parameter in template.get("Parameters", {}).items():
    if "Default" in parameter:
        parameters.setdefault(name, parameter["Default"])


class ManagedPolicies:
    """The template uses no managed policies of AWS."""

    def load(self):
        return {}


translated = transform(template, dict(parameters), ManagedPolicies())
json.dump({"stack": stack, "parameters": parameters, "template": translated}, sys.stdout)
