package render

import (
	"bufio"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// htmlPage collects the data of the page of package html.
type htmlPage struct {
	b       *bufio.Writer
	builder *html.Builder
	report  *html.Report
}

func newHTML(b *bufio.Writer, o *Options) Output {
	page := html.Options{Made: o.Now, Program: o.generator(), Organizations: o.Organizations}
	for _, s := range o.Skipped {
		page.Skipped = append(page.Skipped, html.Skipped(s))
	}
	builder := html.New(page)
	for _, h := range o.Histories {
		builder.History(h)
	}
	return &htmlPage{b: b, builder: builder}
}

func (h *htmlPage) Report(audit.Source) error {
	h.report = h.builder.Report()
	return nil
}

func (h *htmlPage) Row(row *audit.Row) error { return h.report.Row(row) }

func (h *htmlPage) End(a *audit.AccountSummary) error {
	if !a.Missing {
		h.report.End(a)
	}
	return nil
}

func (h *htmlPage) Close(s *audit.Summary) error {
	if err := h.builder.Write(h.b, s); err != nil {
		return err
	}
	return h.b.Flush()
}
