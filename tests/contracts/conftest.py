import copy
import json

import pytest

from loader.config import Config, ContractsConfig
from loader.contracts import Contracts, read_contracts


@pytest.fixture
def judge(workspace):
    """Judges an event by the workspace's contracts, under a policy for all sources."""

    def judged(event, **policy):
        config = Config(contracts=ContractsConfig(**policy))
        contracts = Contracts(read_contracts(workspace.schemas), config)
        before = copy.deepcopy(event)
        verdict = contracts.judge(event, "web")
        assert event == before
        return verdict

    return judged


@pytest.fixture
def write(workspace):
    def write_contract(found, name="track/checked.json"):
        (workspace.schemas / name).write_text(json.dumps(found))

    return write_contract
