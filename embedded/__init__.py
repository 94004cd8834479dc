"""The whole suite on one machine, in one terminal: `make up`.

plan.py says which processes there are and with which settings (pure); secrets.py makes keys once; up.py and down.py
start and stop. The processes are kept by supervisord, from the Procfile.
"""
