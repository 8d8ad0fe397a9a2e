package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// tableOr answers rows as CSV to who asks for it, and else whole as JSON.
func tableOr[T any](accept, name string, whole any, rows []T) *reply[func(huma.Context)] {
	if !strings.Contains(strings.ToLower(accept), "text/csv") {
		return &reply[func(huma.Context)]{func(ctx huma.Context) {
			ctx.SetHeader("Content-Type", "application/json")
			_ = json.NewEncoder(ctx.BodyWriter()).Encode(whole) // the client may be gone
		}}
	}
	return &reply[func(huma.Context)]{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`.csv"`)
		_ = writeCSV(ctx.BodyWriter(), rows)
	}}
}

// writeCSV writes rows under the names that their members have in JSON.
func writeCSV[T any](w io.Writer, rows []T) error {
	out := csv.NewWriter(w)
	of := reflect.TypeFor[T]()
	heads := make([]string, of.NumField())
	for i := range heads {
		heads[i], _, _ = strings.Cut(of.Field(i).Tag.Get("json"), ",")
	}
	if err := out.Write(heads); err != nil {
		return err
	}
	cells := make([]string, of.NumField())
	for _, row := range rows {
		v := reflect.ValueOf(row)
		for i := range cells {
			cells[i] = cell(v.Field(i).Interface())
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell is a value as a spreadsheet reads it; what is not there is empty.
func cell(v any) string {
	switch v := v.(type) {
	case *float64:
		if v == nil {
			return ""
		}
		return fmt.Sprint(*v)
	case time.Time:
		return v.Format(time.RFC3339)
	case string:
		return harmless(v)
	default:
		return fmt.Sprint(v)
	}
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
