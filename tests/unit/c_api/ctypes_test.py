#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""swapmq.h from Python's ctypes, without any binding code of ours.

usage: ctypes_test.py LIBSWAPMQ FOLDER
"""
import ctypes as c
import os
import queue
import sys


class Message(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("body", c.c_char_p), ("body_size", c.c_size_t),
        ("id", c.c_char_p), ("id_size", c.c_size_t),
        ("headers", c.c_void_p), ("header_count", c.c_size_t),
        ("delay_ms", c.c_int64), ("ttl_ms", c.c_int64),
        ("priority", c.c_uint32), ("reserved", c.c_uint32),
        ("ordering_key", c.c_char_p), ("ordering_key_size", c.c_size_t),
        ("correlation_id", c.c_char_p), ("correlation_id_size", c.c_size_t),
        ("reply_to", c.c_char_p), ("reply_to_size", c.c_size_t),
        ("content_type", c.c_char_p), ("content_type_size", c.c_size_t),
    ]


class Sent(c.Structure):
    _fields_ = [("outcome", c.c_int32), ("status", c.c_int32), ("retryable", c.c_int32),
                ("id", c.c_char * 256)]


HANDLER = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p)
ACK, TIMEOUT_MS = 0, 10_000


def main(library_path: str, folder: str) -> None:
    lib = c.CDLL(library_path)
    lib.swapmq_mq_version.restype = c.c_char_p
    lib.swapmq_mq_delivery_body.restype = c.c_void_p  # any bytes, not a C string
    error = c.create_string_buffer(512)

    def call(name: str, *args) -> None:
        status = getattr(lib, name)(*args, error, c.c_size_t(len(error)))
        if status != 0:
            raise RuntimeError(f"{name}: {status}: {error.value.decode()}")

    def body_of(delivery) -> bytes:
        size = c.c_size_t()
        data = lib.swapmq_mq_delivery_body(c.c_void_p(delivery), c.byref(size))
        return c.string_at(data, size.value)

    config = os.path.join(folder, "swapmq.json")
    with open(config, "w", encoding="utf-8") as file:
        file.write('{"message_queue": {"url": "sqlite:queues.db"}, "log": {"level": "off"}}')
    mq = c.c_void_p()
    call("swapmq_mq_open", config.encode(), c.byref(mq))

    bodies = [b"one", b"two\0zero", "dr\u00e4i".encode()]
    messages = (Message * 3)(*(Message(struct_size=c.sizeof(Message), body=b, body_size=len(b))
                               for b in bodies))
    sent = (Sent * 3)()
    call("swapmq_mq_publish", mq, b"tasks", messages, c.c_size_t(3), c.c_int64(TIMEOUT_MS), sent)
    assert [s.outcome for s in sent] == [0, 0, 0] and len(sent[0].id) == 36, "not confirmed"

    # Pulled: settled here.
    subscription = c.c_void_p()
    call("swapmq_mq_subscribe", mq, b"tasks", None, c.byref(subscription))
    deliveries, count = (c.c_void_p * 8)(), c.c_size_t()
    call("swapmq_mq_receive", subscription, c.c_size_t(1), c.c_int64(TIMEOUT_MS), deliveries,
         c.byref(count))
    assert count.value == 1 and body_of(deliveries[0]) == bodies[0]
    first = c.c_void_p(deliveries[0])
    assert lib.swapmq_mq_ack(first) == 0
    call("swapmq_mq_wait_settled", first, c.c_int64(TIMEOUT_MS))
    lib.swapmq_mq_delivery_free(first)
    call("swapmq_mq_subscription_close", subscription, c.c_int64(TIMEOUT_MS))
    lib.swapmq_mq_subscription_free(subscription)

    # Pushed: a Python function is the handler.
    got: "queue.Queue[bytes]" = queue.Queue()

    def handle(_context, delivery) -> int:
        got.put(body_of(delivery))
        return ACK

    handler = HANDLER(handle)  # lives as long as the consumer
    consumer = c.c_void_p()
    call("swapmq_mq_consume", mq, b"tasks", None, handler, None, c.byref(consumer))
    assert [got.get(timeout=10), got.get(timeout=10)] == bodies[1:]
    call("swapmq_mq_consumer_close", consumer, c.c_int64(TIMEOUT_MS))
    lib.swapmq_mq_consumer_free(consumer)

    try:
        call("swapmq_mq_switch_to", mq, b"nosuch")
        raise AssertionError("a backend that is not there")
    except RuntimeError as problem:
        assert "nosuch" in str(problem), problem
    call("swapmq_mq_close", mq, c.c_int64(TIMEOUT_MS))
    lib.swapmq_mq_free(mq)
    print(f"{len(bodies)} published and consumed by way of ctypes, swapmq "
          f"{lib.swapmq_mq_version().decode()}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
