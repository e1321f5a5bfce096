# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The processes of a run as one of them sees them: sums over all, agreement, and what to say when one is lost."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gan.devices import DeviceError, require_device
from train.ranks.errors import LostRankError, RanksError

BUCKET_BYTES = 32 * 2**20  # of gradients that are added up in one call
PATIENCE = timedelta(hours=6)  # the others' while rank 0 writes or measures; a process that ends is noticed at once
DEVICE_PATIENCE = timedelta(minutes=10)  # for gradients on GPUs, which all ranks add up in the same step
REASON_SECONDS = 3.0  # in which a process that failed has told why
FAILURE = "failure"  # key of the store: why the first one failed


class Ranks:
    """This process, number `rank` of `count`; rank 0 alone writes and speaks. By default it is alone."""

    def __init__(self, rank: int = 0, count: int = 1, store: Any = None, control: Any = None) -> None:
        self.rank, self.count, self._store, self._control = rank, count, store, control

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors; on a GPU it is only queued."""
        if self.count > 1:
            tensor = tensor.clone()
            with self._explain_loss():
                dist.all_reduce(tensor)
        return tensor

    def mean(self, tensor: Tensor) -> Tensor:
        """Return the mean of the ranks' tensors."""
        return self.sum(tensor) / self.count if self.count > 1 else tensor

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each parameter's gradient by the sum over the ranks, in flat buckets."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        with self._explain_loss():
            pending = []
            for bucket in _fill_buckets(gradients):
                flat = torch.cat([gradient.flatten() for gradient in bucket])
                pending.append((bucket, flat, dist.all_reduce(flat, async_op=True)))
            for bucket, flat, work in pending:
                work.wait()
                parts = flat.split([gradient.numel() for gradient in bucket])
                for gradient, part in zip(bucket, parts, strict=True):
                    gradient.copy_(part.view_as(gradient))

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Write rank 0's values into every rank's tensors."""
        if self.count > 1:
            with self._explain_loss():
                for tensor in tensors:
                    dist.broadcast(tensor, src=0)

    def undeal(self, part: Tensor) -> Tensor:
        """Return the batch whose sample n rank n mod ranks has in `part`, [N, ...]; every part has as many."""
        if self.count == 1:
            return part
        parts = [torch.empty_like(part) for _ in range(self.count)]
        with self._explain_loss():
            dist.all_gather(parts, part.contiguous())
        return torch.stack(parts, dim=1).flatten(0, 1)

    def any(self, flag: bool) -> bool:
        """Tell whether any rank says so; all of them hear the same answer."""
        if self.count == 1:
            return flag
        said = torch.tensor([int(flag)])
        with self._explain_loss():
            dist.all_reduce(said, dist.ReduceOp.MAX, group=self._control)
        return bool(said.item())

    def collect(self, value: Any) -> list[Any]:
        """Return every rank's value, in order; small ones, of plain types."""
        found = [value] * self.count
        if self.count > 1:
            with self._explain_loss():
                dist.all_gather_object(found, value, group=self._control)
        return found

    def follow(self, value: Any) -> Any:
        """Return rank 0's value on every rank."""
        found = [value]
        if self.count > 1:
            with self._explain_loss():
                dist.broadcast_object_list(found, src=0, group=self._control, device=torch.device("cpu"))
        return found[0]

    def report_failure(self, why: str) -> None:
        """Leave word of why this process fails, for the others."""
        if self._store is not None:
            with suppress(RuntimeError):
                self._store.compare_set(FAILURE, "", f"Rank {self.rank} failed: {why}")

    @contextmanager
    def _explain_loss(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise LostRankError(self._find_reason()) from error

    def _find_reason(self) -> str:
        deadline = time.monotonic() + REASON_SECONDS
        with suppress(RuntimeError):  # rank 0 may keep the store, and be gone
            while time.monotonic() < deadline:
                if self._store.check([FAILURE]):
                    return str(self._store.get(FAILURE).decode("utf-8", "replace")).rstrip(".")
                time.sleep(0.1)
        return "Another process of this run ended, or cannot be reached any more"


ALONE = Ranks()


def _fill_buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the gradients in order, together up to BUCKET_BYTES or one larger one."""
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and size + gradient.nbytes > BUCKET_BYTES:
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.nbytes
    if bucket:
        yield bucket


@contextmanager
def join_ranks(device: str) -> Iterator[Ranks]:
    """Join the processes that --gpus or torchrun started, and yield them; alone where there are no others.

    The device must be "cpu" or "cuda", of which each process takes the one with its number on its machine.
    RanksError for another one, DeviceError for one that the machine lacks or that cannot be used, LostRankError if the
    others do not come.
    """
    count = int(os.environ.get("WORLD_SIZE", 1))
    if count <= 1 or "RANK" not in os.environ:
        require_device(device)
        yield ALONE
        return
    from torch.distributed.rendezvous import rendezvous  # which not every build of torch has

    if int(os.environ["RANK"]):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # rank 0 speaks for all
        logging.getLogger("cuda_ops").setLevel(logging.WARNING)
    _take_device(device)
    require_device(device)  # only now: what is allocated on "cuda" goes to the GPU that was taken
    try:
        store, rank, count = next(iter(rendezvous("env://")))
        backend = "nccl" if device == "cuda" else "gloo"
        patience = DEVICE_PATIENCE if device == "cuda" else PATIENCE
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=patience)
        control = dist.new_group(backend="gloo", timeout=PATIENCE) if device == "cuda" else None
    except RuntimeError as error:
        raise LostRankError(
            f"The {count} processes of this run did not find each other: check the address, the port and the network "
            "between the machines"
        ) from error
    ranks = Ranks(rank, count, store, control)
    try:
        yield ranks
    except LostRankError:
        raise
    except BaseException as error:
        ranks.report_failure(str(error) or type(error).__name__)
        raise
    dist.destroy_process_group()


def _take_device(device: str) -> None:
    if device not in ("cpu", "cuda"):
        raise RanksError(
            f"Several processes cannot train on {device}: give --device=cuda, of which each takes one, or --device=cpu."
        )
    if device == "cuda":
        local, there = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
        if local > there:
            raise DeviceError(f"This machine has {there} GPUs, not {local}: give --gpus={there}.")
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
