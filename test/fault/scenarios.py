"""All scenarios. Each plays on a stage of its own (stage.py), announces what its fault may cost, and ends it."""
import on_sidecar  # noqa: F401
import on_broker  # noqa: F401
import on_link  # noqa: F401
import on_database  # noqa: F401
import on_machine  # noqa: F401
import on_security  # noqa: F401
import on_order  # noqa: F401
import on_cluster  # noqa: F401
import on_replicas  # noqa: F401
import on_galera  # noqa: F401
from registry import ALL  # noqa: F401
