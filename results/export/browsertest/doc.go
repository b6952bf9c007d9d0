// Package browsertest opens report.html in headless Chromium, as a reader would: from the
// disk, on a screen, a phone and paper, in light and dark, by keyboard.
package browsertest
