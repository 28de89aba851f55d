"""E-mail and Slack: messages, their templates, their transports."""
