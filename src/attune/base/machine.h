// What Linux says of the machine and of this process.
#pragma once

#include <string>

namespace attune {

std::string processor_name();     // "unknown" where the system does not say
double memory_bytes();            // of the machine
double available_memory_bytes();  // that new allocations can have without swapping
double resident_bytes();          // of this process now

}  // namespace attune
