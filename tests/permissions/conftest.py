import pytest

from tests.conftest import cloud
from tests.permissions.needs import Need
from tests.permissions.recording import Recorder
from tests.permissions.roles import names
from tests.permissions.scenario import run


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Need]]:
    """What each function asked of AWS in one run of all there is to ask."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch, cloud(patch, tmp_path_factory.mktemp("scratch")) as aws:
        run(aws, recorder, patch)
    return {name: {need for call in calls for need in names().needs(*call)} for name, calls in recorder.calls.items()}
