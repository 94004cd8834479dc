"""The whole suite on one machine, in one terminal: `make up`.

plan.py says which processes there are and with which settings (pure); environment.py what the caller's environment says
of them; ports.py and stores.py where they are; secrets.py makes keys once. up.py and down.py start and stop, under the
lock of lock.py; processes.py finds who holds it, readiness.py waits. The processes are kept by supervisord, from the
Procfile.
"""
