// Package drawing makes pictures of flows: an SVG with states, transitions and jumps and, if somebody has counted,
// how often each arrow was taken.
//
// Draw is pure: the same flow and counts give the same bytes. It reads definitions that bot.Parse has accepted and knows
// nothing of stores and networks; whoever has the log hands its steps to Traffic. Names and expressions come from outside:
// everything that is written into a picture is escaped, and no picture has a script or a link.
package drawing
