"""Takes reservations many at a time, as protobuf.

    pip install protobuf grpcio-tools
    python -m grpc_tools.protoc --proto_path=proto --python_out=. plimsoll/v1/batch.proto
    PLIMSOLL_TOKEN=… python docs/dialects/batch.py http://127.0.0.1:8080 p-7 vm/image FRA-A 8
"""

import os
import sys
import urllib.request

sys.path.insert(0, os.getcwd())  # where protoc was told to write
from plimsoll.v1 import batch_pb2


def main():
    server, scope, resource, location, count = sys.argv[1:]
    batch = batch_pb2.BatchRequest()
    for number in range(int(count)):
        command = batch.commands.add(op=batch_pb2.OP_RESERVE, id=f"example-{number}", scope=scope)
        command.lines.add(resource=resource, location=location, amount=1)
        command.ttl_seconds = 60
    for command, outcome in zip(batch.commands, send(server, batch).outcomes, strict=True):
        if outcome.HasField("reservation"):
            state = batch_pb2.State.Name(outcome.reservation.state)
            print(command.id, outcome.status, state, outcome.reservation.revision)
        else:
            print(command.id, outcome.status, outcome.problem.code, outcome.problem.detail)


def send(server, batch):
    request = urllib.request.Request(
        f"{server}/plimsoll/v1/reservations:batch",
        data=batch.SerializeToString(),
        headers={
            "authorization": f"Bearer {os.environ['PLIMSOLL_TOKEN']}",
            "content-type": "application/x-protobuf",
        },
    )
    with urllib.request.urlopen(request) as answer:
        return batch_pb2.BatchResponse.FromString(answer.read())


main()
