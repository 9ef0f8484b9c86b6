package main

import (
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// logFlags says how a service logs to standard error.
type logFlags struct {
	level, format string
	json          bool // set by open
}

func (l *logFlags) add(c *cobra.Command) {
	choose(c, &l.level, "log-level", "", "info", "log `level`: debug, info, warn or error",
		"debug", "info", "warn", "error")
	choose(c, &l.format, "log-format", "", "auto",
		"log `format`: text, json, or auto, which is text on a terminal and else json", "auto", "text", "json")
	settings(c.Flags(), "log-level", "log-format")
}

func (l *logFlags) open(p *process) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil || strings.ContainsAny(l.level, "+-") {
		return nil, usageError("--log-level %q is not one of debug, info, warn, error", l.level)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: boundText}
	switch l.format {
	case "auto":
		_, terminal := width(p.stderr)
		l.json = !terminal
	case "json", "text":
		l.json = l.format == "json"
	default:
		return nil, usageError("--log-format %q is not one of auto, text, json", l.format)
	}
	if l.json {
		return slog.New(newBoundedLog(slog.NewJSONHandler(p.stderr, options))), nil
	}
	return slog.New(newBoundedLog(slog.NewTextHandler(p.stderr, options))), nil
}
