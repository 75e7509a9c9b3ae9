#include <gtest/gtest.h>
#include "attune/text/tokenizer.h"
