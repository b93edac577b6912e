//! Alerts: when, to whom, and that each is sent once. The alert is the verdict.
