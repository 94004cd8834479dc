"""Whose fault a refusal of JetStream is."""

from __future__ import annotations

import pytest

from chassis.bus.errors import ApiRefused, BatchTorn, BrokerUnavailable, PublishRefused, is_of_the_message, told

# code of the answer, err_code, description: as nats-server 2.15 has them in server/errors.json
OF_THE_MESSAGE = [
    (400, 10054, "message size exceeds maximum allowed"),
    (503, 10077, "message too large"),
    (400, 10060, "expected stream does not match"),
    (400, 10070, "wrong last msg ID: x"),
    (400, 10071, "wrong last sequence: 7"),
    (400, 10165, "invalid per-message TTL"),
    (400, 10166, "per-message TTL is disabled"),
    (400, 10168, "message counters is disabled"),
    (400, 10177, "atomic publish unsupported header used: Nats-Msg-Id"),
    (400, 10188, "message schedules is disabled"),
    (400, 10227, "message stream source header is not allowed"),
]
OF_THE_MOMENT = [
    (503, 10077, "maximum bytes exceeded"),
    (503, 10077, "maximum messages exceeded"),
    (503, 10077, "maximum messages per subject exceeded"),
    (503, 10077, "write /var/nats/1.blk: no space left on device"),
    (503, 10077, "store is closed"),
    (500, 10047, "insufficient storage resources available"),
    (500, 10028, "insufficient memory resources available"),
    (503, 10023, "insufficient resources"),
    (400, 10002, "resource limits exceeded for account"),
    (503, 10076, "JetStream not enabled"),
    (503, 10008, "JetStream system temporarily unavailable"),
    (500, 10009, "JetStream cluster can not handle request"),
    (500, 10074, "replicas > 1 not supported in non-clustered mode"),
    (404, 10059, "stream not found"),
    (400, 10109, "invalid operation on sealed stream"),
    (500, 10118, "stream is offline"),
    (409, 10158, "duplicate message id is in process"),
    (503, 10163, "expected last sequence per subject temporarily unavailable"),
    (429, 10167, "too many requests"),
    (400, 10174, "atomic publish is disabled"),
    (429, 10210, "atomic publish too many inflight"),
    (429, 10211, "batch publish too many inflight"),
    (400, 19999, "something that a later server says"),
]


@pytest.mark.parametrize(("_", "code", "description"), OF_THE_MESSAGE)
def test_what_is_wrong_with_the_message_is_refused_for_good(_: int, code: int, description: str) -> None:
    assert is_of_the_message(code, description)
    assert isinstance(told("ECHO", ApiRefused(code, description)), PublishRefused)


@pytest.mark.parametrize(("_", "code", "description"), OF_THE_MOMENT)
def test_what_may_pass_is_waited_for(_: int, code: int, description: str) -> None:
    assert not is_of_the_message(code, description)
    assert type(told("ECHO", ApiRefused(code, description))) is BrokerUnavailable


@pytest.mark.parametrize("code", [10176, 10199, 10201])
def test_what_may_be_the_batchs_fault_is_tried_in_smaller_ones(code: int) -> None:
    assert isinstance(told("ECHO", ApiRefused(code, "atomic publish batch is ...")), BatchTorn)
