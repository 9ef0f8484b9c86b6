"""Runs commands of the AWS CLI, each in a process that is forked from this one.

Usage: server.py SCRIPT, with a listening Unix socket as descriptor 3. SCRIPT is
the "aws" of this machine. It is imported once and runs in children alone, so no
command sees what another one has left in memory.

A client sends its three descriptors with the length of a JSON object as four
bytes, and then the object: {"dir", "env", "args"}. It is answered with the exit
code. The server ends when its input does.
"""
import atexit
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import socket
import struct
import sys
import time


def main(script):
    sys.path[0] = os.path.dirname(script)
    for module in "awscli.clidriver", "awscli.handlers", "botocore.client":
        importlib.import_module(module_name(module))
    read_models()
    remember_events()
    gc.disable()  # a command is short
    gc.freeze()
    serve(socket.socket(fileno=3), script)


def serve(listener, script):
    """Forks for each request, and answers it when the child has ended."""
    listener.set_inheritable(False)
    running = {}
    while True:
        ready, _, _ = select.select([0, listener, *running], [], [])
        if 0 in ready:
            os._exit(0)
        for ended in running.keys() & set(ready):
            pid, connection = running.pop(ended)
            os.close(ended)
            _, status = os.waitpid(pid, 0)
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()
        if listener in ready:
            connection, _ = listener.accept()
            request, fds = receive(connection)
            pid = os.fork()
            if pid == 0:
                for own in listener, connection, *(c for _, c in running.values()):
                    own.close()
                return run(script, request, fds)
            for fd in fds:
                os.close(fd)
            running[os.pidfd_open(pid)] = pid, connection


def receive(connection):
    head, fds, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as stream:
        return json.loads(stream.read(*struct.unpack(">I", head))), fds


def module_name(name):
    """Returns the name of a module in this version: 2 brings its own botocore."""
    own = "awscli." + name
    return own if name.startswith("botocore") and importlib.util.find_spec("awscli.botocore") else name


def read_models():
    """Reads the data that every command needs, so that they need not: half of
    a command's time. A second loading of the same file reads it again."""
    loaders = importlib.import_module(module_name("botocore.loaders"))
    load_file = loaders.JSONFileLoader.load_file
    paths = set()

    def record(self, path):
        data = load_file(self, path)
        if data is not None:
            paths.add(path)
        return data

    loaders.JSONFileLoader.load_file = record
    remember_services(loaders.Loader)
    loader = loaders.create_loader(os.environ.get("AWS_DATA_PATH"))
    for name in "endpoints", "partitions", "_retry", "sdk-default-configuration":
        try:
            loader.load_data(name)
        except Exception:  # not every version has them all
            pass
    for service in "iam", "sts":
        for kind in "service-2", "paginators-1", "endpoint-rule-set-1", "waiters-2":
            try:
                loader.load_service_model(service, kind)
            except Exception:
                pass
    once = {path: load_file(loaders.JSONFileLoader(), path) for path in paths}
    loaders.JSONFileLoader.load_file = lambda self, path: once.pop(path, None) or load_file(self, path)


def remember_services(loader):
    """Makes loaders list the services once for all commands: their directories
    are hundreds, and a command looks through them five times."""
    list_services = loader.list_available_services
    known = {}

    def remembered(self, type_name):
        of = tuple(self._potential_locations()), type_name
        if of not in known:
            known[of] = list_services(self, type_name)
        return list(known[of])

    loader.list_available_services = remembered


def remember_events():
    """Makes emitters share the present names of events, which each command looks
    up hundreds of times. A driver that is created here asks for most of them.
    Events of version 2 have one name."""
    aliaser = getattr(importlib.import_module(module_name("botocore.hooks")), "EventAliaser", None)
    if aliaser is None:
        return
    find = aliaser._alias_event_name
    known = {}

    def remembered(self, name):
        if name not in known:
            known[name] = find(self, name)
        return known[name]

    aliaser._alias_event_name = remembered
    importlib.import_module("awscli.clidriver").create_clidriver()


def run(script, request, fds):
    """Runs the CLI's own script with what a new process would find. Then the
    process ends, and does not tidy up a memory that it shares with the server:
    that would copy most of it."""
    os.setsid()
    for fd, at in zip(fds, range(3)):
        os.dup2(fd, at)
        os.close(fd)
    os.chdir(request["dir"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    importlib.reload(sys.modules["awscli"])  # it sets AWS_DATA_PATH
    sys.argv = [script, *request["args"]]
    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = 0 if end.code is None else end.code
        if not isinstance(code, int):
            raise
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


main(sys.argv[1])
