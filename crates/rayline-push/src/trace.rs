//! OpenTelemetry: a trace per request, a span per phase, the verdict as their status.
