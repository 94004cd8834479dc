"""What the suite consists of, wherever it runs: its processes, their settings, who may do what on NATS.

The embedded runner, the compose file and the manifests for Kubernetes are made from this, and held to it by tests.
"""
