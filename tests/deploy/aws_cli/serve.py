"""A running AWS CLI: its start takes most of a call's time, and the tests make hundreds of calls.

Run it with the AWS CLI's Python and the path of a socket. Each connection (from `aws`, beside this) gets a fork with the
caller's arguments, environment, folder and open files. It ends with its standard input, and then removes the socket's
folder.
"""
import json
import os
import select
import shutil
import signal
import socket
import sys

from awscli import clidriver

# Loads what every call needs once. The import has put the path of the remaining data files into the
# environment.
clidriver.create_clidriver()
DATA = os.environ["AWS_DATA_PATH"]


def serve(connection):
    request, files, *_ = socket.recv_fds(connection, 1 << 16, 3)
    while part := connection.recv(1 << 16):
        request += part
    call = json.loads(request)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(call["environment"], AWS_DATA_PATH=DATA)
    os.chdir(call["folder"])
    sys.argv = ["aws", *call["arguments"]]
    try:
        status = clidriver.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([status & 255]))


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(128)
# Children are reaped automatically: the caller gets the exit status through the connection.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
while True:
    ready, _, _ = select.select([server, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    connection, _ = server.accept()
    if os.fork() == 0:
        server.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(connection)
        os._exit(0)
    connection.close()
shutil.rmtree(os.path.dirname(sys.argv[1]))
