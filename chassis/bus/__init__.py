"""How messages travel: streams, durable publishing in atomic batches, ordered lanes with one reader each, and dead
letters.

What a service's NATS user must be allowed, for stream S and durable D: publish `<owner>.>`, `dead.>`, `$JS.API.INFO`,
`$JS.API.STREAM.{CREATE,UPDATE}.<own stream>`, `$JS.API.CONSUMER.{CREATE,RESET,UNPIN}.S.D`,
`$JS.API.CONSUMER.MSG.NEXT.S.D`, `$JS.ACK.S.D.>`, `$JS.API.{STREAM.INFO,STREAM.MSG.GET,CONSUMER.NAMES}.S`, and of each
name its durables may have had, `$JS.API.CONSUMER.{INFO,DELETE}.S.<name>`; subscribe `<inbox prefix>.>`.
"""
