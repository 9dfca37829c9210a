"""The site's local page: server-rendered, live by server-sent events, no build step, nothing from elsewhere."""

# Its server and templates are imported where a site has a page: together they are a third of the gateway's start.
