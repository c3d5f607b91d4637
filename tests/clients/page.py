"""Prints the titles of all open tasks, page by page, with the client of openapi-python-client."""

import os
from urllib.parse import parse_qs, urlsplit

from client import AuthenticatedClient
from client.api.tasks import list_tasks, patch_task
from client.models.problem import Problem
from client.models.task_change import TaskChange
from client.types import UNSET, Unset

client = AuthenticatedClient(base_url=os.environ["API_URL"], token=os.environ["TOKEN"])
user = os.environ["USER_ID"]

after: str | Unset = UNSET
while True:
    page = list_tasks.sync_detailed(user, client=client, completed=False, limit=2, after=after)
    assert isinstance(page.parsed, list), page
    for task in page.parsed:
        print(task.title)
    link = page.headers.get("link")
    if link is None:
        break
    after = parse_qs(urlsplit(link.removeprefix("<").split(">")[0]).query)["after"][0]

refused = patch_task.sync(user, task.id, client=client, body=TaskChange())
assert isinstance(refused, Problem), refused
print(refused.detail)
