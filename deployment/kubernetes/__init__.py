"""The part of `k8s/` that follows from the code: what repeats for each process, who may reach whom, the configuration
of NATS, the databases. `python -m deployment.kubernetes` writes it; the rest of `k8s/` is written by hand.
"""
