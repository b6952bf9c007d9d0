"""Starts the replicas of a plan with vLLM on a Ray cluster, and stays until one ends.

    MODEL=… python3 ray_serve.py ray_replicas.json

Every replica has a placement group with one bundle a rank. The resources of a bundle name
the node that the plan has the rank on, so that Ray has no choice; vLLM takes the ranks in
the order of the bundles (VLLM_RAY_BUNDLE_INDICES). What vLLM finds as the placement group
of the actor that it runs in, it uses instead of one of its own.
"""

import importlib.util
import json
import os
import sys

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

PATIENCE = 600  # seconds that the nodes have to come up in


class Server:
    """One replica: vllm serve inside an actor on the node of its first rank."""

    def serve(self, words):
        if importlib.util.find_spec("vllm.v1.executor.ray_executor_v2") is None:
            raise RuntimeError(
                "this vLLM sorts the ranks by a rule of its own: "
                "a release with vllm/v1/executor/ray_executor_v2.py is needed"
            )
        sys.argv = ["vllm", *words]
        from vllm.entrypoints.cli.main import main

        main()


def start(replica, model):
    """Waits for the GPUs of a replica and starts it; the result is its actor and its run."""
    group = placement_group(replica["bundles"], strategy="PACK")
    if not group.wait(PATIENCE):
        sys.exit(
            f"no room for {replica['name']} after {PATIENCE} s: "
            "does every node run ray.sh? See: ray status"
        )
    env = {
        # Without a GPU of its own the actor would see none: leave it those of its node.
        "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1",
        "RAY_EXPERIMENTAL_NOSET_HIP_VISIBLE_DEVICES": "1",
        "VLLM_RAY_BUNDLE_INDICES": ",".join(str(i) for i in range(len(replica["bundles"]))),
        "VLLM_USE_RAY_V2_EXECUTOR_BACKEND": "1",
        **replica["env"],
    }
    actor = (
        ray.remote(Server)
        .options(
            num_cpus=0,
            runtime_env={"env_vars": env},
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                placement_group=group,
                placement_group_bundle_index=0,
                placement_group_capture_child_tasks=True,
            ),
        )
        .remote()
    )
    return actor, actor.serve.remote(["serve", model, *replica["flags"]])


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        replicas = json.load(f)["replicas"]
    ray.init(address="auto")
    running = [start(r, os.environ["MODEL"]) for r in replicas]
    ended, _ = ray.wait([run for _, run in running], num_returns=1)
    ray.get(ended)


if __name__ == "__main__":
    main()
