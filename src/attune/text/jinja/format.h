// Python's text formatting: 'x %s' % y and 'x {}'.format(y), in the forms that templates use.
#pragma once

#include "attune/text/jinja/value.h"

namespace attune::jinja {

// %s %r %d %i %f %x %% with flags, width and precision; mapping keys as %(key)s. Other forms fail.
Text percent_format(Interpreter& interpreter, const Text& format, const Value& values);

// {} {0} {name} {{ }}, without format specifications.
Text brace_format(Interpreter& interpreter, const Text& format, const Arguments& arguments);

}  // namespace attune::jinja
