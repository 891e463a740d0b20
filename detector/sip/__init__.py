"""SIP: worker processes, their local protocol, the supervisor."""
