"""Between a program and a server: a line that can be cut, stalled and restored."""

import contextlib
import random
import socket
import struct
import threading
import time


class Line:
    """Passes on what comes to a port of this machine, to a port or the socket file of a server."""

    def __init__(self, target):
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._ends = []
        self._door = None
        self.port = 0
        self.restore()

    def cut(self):
        """End all connections, and refuse new ones."""
        with self._lock:
            if self._door is not None:
                _end(self._door)
                self._door = None
            for each in self._ends:
                _end(each)
            self._ends = []
        self._flows.set()

    def stall(self):
        """Let nothing through, without a word."""
        self._flows.clear()

    def restore(self):
        """Let everything through again."""
        with self._lock:
            if self._door is None:
                self._door = socket.create_server(("127.0.0.1", self.port))
                self.port = self._door.getsockname()[1]
                threading.Thread(target=self._accept, args=[self._door], daemon=True).start()
        self._flows.set()

    def _accept(self, door):
        with contextlib.suppress(OSError):
            while True:
                here, _ = door.accept()
                is_port = isinstance(self._target, tuple)
                there = socket.socket(socket.AF_INET if is_port else socket.AF_UNIX)
                try:
                    there.connect(self._target)
                except OSError:  # the server is not there
                    here.close()
                    there.close()
                    continue
                with self._lock:
                    self._ends += [here, there]
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source, target):
        with contextlib.suppress(OSError):
            self._copy(source, target)
        _end(source)
        _end(target)

    def _copy(self, source, target):
        """Pass on what comes from one end, until the connection is to be ended."""
        while data := source.recv(2**16):
            self._flows.wait()
            target.sendall(data)


class FaultyLine(Line):
    """A line that ends connections after some bytes, at random: between two, or amid anything.

    Some are ended as by a program that closes them, others as by one that crashes; some bytes come
    late. On the average, one in `every` bytes is the last one.
    """

    def __init__(self, target, seed, every):
        self._random = random.Random(seed)
        self._every = every
        self.is_faulty = True
        self.faults = 0
        super().__init__(target)

    def _copy(self, source, target):
        left = self._until_fault()
        while data := source.recv(2**16):
            if self.is_faulty and len(data) >= left:
                target.sendall(data[:left])
                self.faults += 1
                if self._random.random() < 0.5:
                    _reset(target)
                return
            left -= len(data)
            if self.is_faulty and self._random.random() < 0.1:
                time.sleep(0.01)
            target.sendall(data)

    def _until_fault(self):
        return int(self._random.expovariate(1 / self._every)) + 1


def _reset(end):
    """Have an end closed without a word, as that of a program that is gone."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.shutdown(socket.SHUT_RD)  # whoever waits for something of it has it open still
    end.close()


def _end(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextlib.contextmanager
def line_to(address):
    """Have a line to a PostgreSQL server on this machine, and its address at this end."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(address)
    line = Line(f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}")
    user = parts.get("user", "postgres")
    try:
        yield line, f"postgresql://{user}@127.0.0.1:{line.port}/{parts.get('dbname', user)}"
    finally:
        line.cut()
