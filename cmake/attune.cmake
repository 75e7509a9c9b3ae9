# attune_library(NAME [TORCH] [ARROW] [DEPENDS lib...] [LINKS external...] [CATALOGUE Interface])
#
# One folder of src/attune is one static library: all its .cpp files, recursively. DEPENDS are the only other folders
# whose headers it may include; tests/check_includes.py holds the sources against the edges written here.
#   TORCH      the folder sees libtorch (through the shared precompiled header)
#   ARROW      the folder sees Arrow
#   LINKS      third-party targets
#   CATALOGUE  each .cpp that holds an ATTUNE_PART of this interface becomes a row of the generated table parts();
#              FOLDER/Interface when the parts (and their namespace) live in a folder below, with the header above it
# If tests/unit/NAME exists, its files become one test binary test_NAME.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set_property(GLOBAL PROPERTY attune_edges "")

function(attune_library name)
  cmake_parse_arguments(arg "TORCH;ARROW" "CATALOGUE" "DEPENDS;LINKS" ${ARGN})
  if((arg_TORCH AND NOT ATTUNE_TORCH) OR (arg_ARROW AND NOT ATTUNE_ARROW))
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(main|entry)\\.cpp$")  # programs link the library
  if(arg_CATALOGUE)
    attune_catalogue(${name} ${arg_CATALOGUE} "${sources}" table)
    list(APPEND sources ${table})
  endif()
  add_library(${name} STATIC ${sources})
  add_library(attune::${name} ALIAS ${name})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPENDS PREPEND attune::)
  target_link_libraries(${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_LINKS})
  if(arg_TORCH)
    attune_use_torch(${name})
  endif()
  if(arg_ARROW)
    target_link_libraries(${name} PUBLIC arrow_headers arrow::arrow arrow::parquet)
  endif()
  string(REPLACE ";" " " edges "${name} ${arg_DEPENDS}")
  string(REPLACE "attune::" "" edges "${edges}")
  set_property(GLOBAL APPEND PROPERTY attune_edges "${edges}")
  if(ATTUNE_TESTS AND IS_DIRECTORY ${CMAKE_SOURCE_DIR}/tests/unit/${name})
    attune_test(${name} "${arg_TORCH}")
  endif()
endfunction()

function(attune_use_torch target)
  target_link_libraries(${target} PUBLIC torch_libraries)
  target_precompile_headers(${target} REUSE_FROM torch_pch)
endfunction()

function(attune_test name torch)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cpp)
  add_executable(test_${name} ${sources})
  target_compile_options(test_${name} PRIVATE -O1)  # a fifth less to compile, and nothing is timed
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE ATTUNE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE attune::${name} GTest::gmock GTest::gtest_main ZLIB::ZLIB highway)
  if(torch)
    attune_use_torch(test_${name})
  endif()
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()

# Writes the table of a catalogue: extern references to every part's symbol, which pull the objects out of the static
# library and turn a misspelt name into a link error that names the file.
function(attune_catalogue folder catalogue sources result)
  get_filename_component(interface ${catalogue} NAME)
  get_filename_component(inner "${catalogue}" DIRECTORY)
  set(home ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  set(space ${folder})
  if(inner)
    set(home ${home}/${inner})
    set(space ${inner})
  endif()
  set(declarations "")
  set(rows "")
  foreach(source ${sources})
    file(READ ${source} text)
    # The macro at the start of a line, its arguments wherever the formatter puts them.
    if("\n${text}" MATCHES "\nATTUNE_PART\\([ \n]*([A-Za-z_]+),[ \n]*([A-Za-z0-9_]+),")
      set(kind ${CMAKE_MATCH_1})
      set(symbol ${CMAKE_MATCH_2})
      file(RELATIVE_PATH path ${home} ${source})
      string(REGEX REPLACE "\\.cpp$" "" path "${path}")
      string(REPLACE "_" "-" path "${path}")
      string(APPEND declarations "extern constinit const Part<${kind}> part_${symbol};  // ${path}\n")
      string(APPEND rows "    {\"${path}\", &part_${symbol}},\n")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  endforeach()
  string(REGEX REPLACE "([a-z])([A-Z])" "\\1_\\2" lower ${interface})
  string(TOLOWER ${lower} lower)
  string(CONCAT text "// Generated from the files of src/attune/${folder}: one row a part.\n"
      "#include \"attune/${folder}/${lower}.h\"\n\nnamespace attune::${space} {\n${declarations}}\n\n"
      "namespace attune {\nusing namespace ${space};\n"
      "static constinit const PartRow<${interface}> rows[] = {\n${rows}};\n"
      "template <>\nstd::span<const PartRow<${interface}>> part_rows<${interface}>() { return rows; }\n"
      "}  // namespace attune\n")
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/parts_${folder}.cpp CONTENT "${text}")
  set(${result} ${CMAKE_CURRENT_BINARY_DIR}/parts_${folder}.cpp PARENT_SCOPE)
endfunction()
