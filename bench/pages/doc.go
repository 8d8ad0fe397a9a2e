// Package pages measures what people see: the real program, with the real pages in a real Chromium. browser.mjs opens the pages and reads
// their figures; the load comes from here. ../README.md tells the results and how to repeat them.
package pages
