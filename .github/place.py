"""Completes .aws-sam/build like `sam build` does, for functions from another job: FUNCTION/bootstrap.

Run by the Python of the SAM CLI, in the project's folder. Refuses any other file.
"""
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse

build = Path(".aws-sam/build")
template = yaml_parse(Path("template.yaml").read_text())
functions = {id: r for id, r in template["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}

expected = {f"{id}/bootstrap" for id in functions}
found = {file.relative_to(build).as_posix() for file in build.rglob("*") if not file.is_dir()}
if found != expected:
    sys.exit(f"{build}: {sorted(found - expected)} must not be there, {sorted(expected - found)} must")

for id, function in functions.items():
    (build / id / "bootstrap").chmod(0o755)  # artifacts lose permissions
    function["Properties"]["CodeUri"] = id
(build / "template.yaml").write_text(yaml_dump(template))
