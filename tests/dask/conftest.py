import pytest
from clusters import local_cluster


@pytest.fixture(scope="session")
def client():
    """The client of two workers that are processes, for tests that leave them alone; it is nobody's default."""
    with local_cluster(2, processes=True, set_as_default=False) as client:
        yield client
