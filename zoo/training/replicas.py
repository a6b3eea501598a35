"""Copies of a model that train side by side, by tf.distribute."""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.utils.keras_internals import devices_are_made


class Replicas:
    """Each replica has all weights, and trains on rows of its own of every window.

    The rows' state is carried with them, as values of each replica; gradients are summed over all.
    Without a strategy there is one replica, and nothing of tf.distribute is used.

    Args:
        strategy: `tf.distribute.MirroredStrategy` or `MultiWorkerMirroredStrategy`, or None.

    Attributes:
        count: how many there are, on all workers.
        chief: whether this process is the one that writes; without workers, it is.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None) -> None:
        self.strategy = strategy
        self.count = strategy.num_replicas_in_sync if strategy else 1
        resolver = strategy.cluster_resolver if strategy else None
        self.workers = len(resolver.cluster_spec().as_dict().get("worker", ())) if resolver else 0
        self.worker = resolver.task_id if resolver and self.workers else 0
        self.chief = not self.worker

    def scope(self) -> AbstractContextManager:
        """Return the context in which model and optimizer are made."""
        return self.strategy.scope() if self.strategy else nullcontext()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in each replica, with that replica's values."""
        return self.strategy.run(function, arguments) if self.strategy else function(*arguments)

    def sum(self, values: Any) -> Any:
        """Return, in a replica, the sum of all replicas' tensors."""
        if not self.strategy:
            return values
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def number(self) -> Any:
        """Return, in a replica, its number from 0."""
        if not self.strategy:
            return 0
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def split(self, tree: Any) -> Any:
        """Return each replica's share of the rows of tensors `[B, ...]` that every worker knows."""
        if self.strategy is None:
            return tree
        distribute = self.strategy.experimental_distribute_values_from_function

        def shares(tensor: Any) -> Any:
            rows = self.rows(len(tensor))

            def share(context: Any) -> Any:
                first = context.replica_id_in_sync_group * rows
                return tensor[first : first + rows]

            return distribute(share)

        return tf.nest.map_structure(shares, tree)

    def rows(self, batch_size: int) -> int:
        """Return how many rows of a batch each replica has.

        Raises:
            UserError: the replicas cannot share them evenly.
        """
        if batch_size % self.count:
            raise UserError(
                f"batch_size is {batch_size}, but {self.count} replicas share it: take a multiple"
            )
        return batch_size // self.count

    def joined(self, value: Any) -> np.ndarray:
        """Return each replica's rows of a value, of all workers, as one array `[B, ...]`."""
        if self.strategy is None:
            return np.asarray(value)
        with self.strategy.scope():
            return self.strategy.gather(value, axis=0).numpy()

    def local(self, value: Any) -> Any:
        """Return this process' first copy of a value that all replicas share."""
        return self.strategy.experimental_local_results(value)[0] if self.strategy else value


def replicas(devices: int = 1) -> Replicas:
    """Return one replica, several on this machine, or those of several workers.

    Workers are found by the environment variable TF_CONFIG, as TensorFlow has it; each worker is
    one replica for each of its GPUs, or one.

    Args:
        devices: replicas on this machine: on its GPUs, or where it has fewer, on virtual devices
            that share its processor.

    Raises:
        UserError: there are workers and several devices, TF_CONFIG is not readable, or TensorFlow
            has begun to compute, after which it takes no new devices.

    Example:
        >>> replicas().count
        1
    """
    if devices < 1:
        raise UserError(f"devices is {devices}, but at least 1 is needed")
    if workers := _workers():
        if devices > 1:
            raise UserError(f"TF_CONFIG names {workers} workers: leave out devices")
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy())
    if devices == 1:
        return Replicas()
    if len(tf.config.list_physical_devices("GPU")) >= devices:
        names = [f"GPU:{n}" for n in range(devices)]
    else:
        names = [f"CPU:{n}" for n in range(devices)]
        _virtual_processors(devices)
    return Replicas(tf.distribute.MirroredStrategy(names))


def _workers() -> int:
    """Return how many workers TF_CONFIG names, 0 for one alone."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster = config.get("cluster", {})
        if "chief" in cluster or "ps" in cluster:
            raise UserError("TF_CONFIG names a chief or a ps: name all of them worker")
        count = len(cluster.get("worker", ()))
        if count > 1 and not 0 <= int(config["task"]["index"]) < count:
            raise ValueError("the task's index is none of a worker")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"TF_CONFIG cannot be read ({error!r}): it names cluster and task as in "
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
        ) from error
    return count if count > 1 else 0


def _virtual_processors(count: int) -> None:
    if len(tf.config.list_logical_devices("CPU") if devices_are_made() else ()) >= count:
        return
    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        raise UserError(
            f"{count} devices must be asked for before TensorFlow computes: start a new process"
        ) from error
