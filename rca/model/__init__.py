"""The values that flow through the tool: frozen, validated where built, without I/O."""
