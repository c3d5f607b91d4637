"""Prints the template of a stage as CloudFormation gets it from SAM, with the parameters of samconfig.toml.

Run by the Python of the SAM CLI: translate.py STAGE [NAME=VALUE ...]
"""
import json
import sys
from pathlib import Path

import tomlkit
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

root = Path(__file__).parents[2]
stage, *changes = sys.argv[1:]
config = tomlkit.parse((root / "samconfig.toml").read_text())[stage]["global"]["parameters"]
overrides = [*config["parameter_overrides"], *changes]
parameters = CfnParameterOverridesType().convert(overrides, None, None)

template = yaml_parse((root / "template.yaml").read_text())
for name, parameter in template["Parameters"].items():
    if "Default" in parameter:
        parameters.setdefault(name, parameter["Default"])
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # Where `sam deploy` puts the built code.
        resource["Properties"]["CodeUri"] = "s3://artifacts/" + resource["Metadata"]["BuildProperties"]["Binary"]


class ManagedPolicies:
    """The template names none of AWS's own."""

    def load(self):
        return {}


translated = transform(template, dict(parameters), ManagedPolicies())
json.dump({"stack": config["stack_name"], "parameters": parameters, "template": translated}, sys.stdout)
