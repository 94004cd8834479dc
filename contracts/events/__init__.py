"""Event classes, one module per owner; `catalogue.EVENTS` lists them all."""
