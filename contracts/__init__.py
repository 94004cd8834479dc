"""What the services promise each other: event classes, values, OpenAPI, AsyncAPI, JSON Schema, golden examples."""
