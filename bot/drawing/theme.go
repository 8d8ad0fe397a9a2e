package drawing

import "strings"

// palette is the colours of a theme, by what they are for.
type palette struct {
	ground, node, border, initial, label, labelBorder string
	text, quiet, line, idle                           string
	worker, expr, end, not, count                     string
}

func light() palette {
	return palette{
		ground: "#ffffff", node: "#f6f8fa", border: "#8c959f", initial: "#0969da", label: "#ffffff", labelBorder: "#d0d7de",
		text: "#1f2328", quiet: "#59636e", line: "#57606a", idle: "#c4cbd2",
		worker: "#8250df", expr: "#0550ae", end: "#bc4c00", not: "#cf222e", count: "#1a7f37",
	}
}

func dark() palette {
	return palette{
		ground: "#0d1117", node: "#161b22", border: "#656c76", initial: "#4493f8", label: "#0d1117", labelBorder: "#3d444d",
		text: "#e6edf3", quiet: "#9198a1", line: "#9198a1", idle: "#3d444d",
		worker: "#d2a8ff", expr: "#79c0ff", end: "#ffa657", not: "#ff7b72", count: "#56d364",
	}
}

// style is the style sheet of a picture. Everything in it is below the class of the picture, so that a page may hold it.
func style(theme Theme) string {
	switch theme {
	case Light:
		return shapes + light().rules()
	case Dark:
		return shapes + dark().rules()
	default:
		return shapes + light().rules() + "@media (prefers-color-scheme:dark){" + dark().rules() + "}"
	}
}

const shapes = `.flow text{font:11px Helvetica,Arial,"Liberation Sans",sans-serif;white-space:pre}` +
	`.flow .head{font-size:16px;font-weight:bold}.flow .name{font-weight:bold}.flow .node .title{font-size:14px;font-weight:bold}` +
	`.flow .verb,.flow .end,.flow .not,.flow .count{font-weight:bold}` +
	`.flow .expr,.flow .worker{font:10.5px "DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace}` +
	`.flow .line{fill:none}.flow .jump{stroke-dasharray:5 3}.flow .beside{stroke-dasharray:4 3}`

func (p palette) rules() string {
	var b strings.Builder
	for _, r := range [][2]string{
		{".ground", "fill:" + p.ground},
		{"text", "fill:" + p.text},
		{".node rect", "fill:" + p.node + ";stroke:" + p.border},
		{".node .initial", "stroke:" + p.initial + ";stroke-width:2.5"},
		{".start", "fill:" + p.initial + ";stroke:" + p.initial},
		{".arrow rect", "fill:" + p.label + ";stroke:" + p.labelBorder},
		{".line", "stroke:" + p.line},
		{".point", "fill:" + p.line},
		{".line.idle", "stroke:" + p.idle},
		{".point.idle", "fill:" + p.idle},
		{".arrow:hover .line,.flow .arrow:hover rect", "stroke:" + p.initial},
		{".quiet,.flow .verb", "fill:" + p.quiet},
		{".worker", "fill:" + p.worker},
		{".expr", "fill:" + p.expr},
		{".end", "fill:" + p.end},
		{".not", "fill:" + p.not},
		{".count", "fill:" + p.count},
		{".idle .count", "fill:" + p.quiet},
	} {
		b.WriteString(".flow " + r[0] + "{" + r[1] + "}")
	}
	return b.String()
}
