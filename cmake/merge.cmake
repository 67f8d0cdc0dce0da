# cmake -DLINKER=... -DAR=... -DLIBRARY=... -DDIRECTORY=... -DOBJECTS=... -P merge.cmake
#
# Makes the static library anew of its objects, each with one section of code, no names of what is local, and no groups: the
# headers, names and relocations of a section a function are as many bytes again as the code. A program then links whole objects.
file(REMOVE_RECURSE ${DIRECTORY})
file(MAKE_DIRECTORY ${DIRECTORY})
set(merged "")
foreach(object IN LISTS OBJECTS)
  string(REGEX REPLACE "^.*/cpp/src/|^units/|(_unit)?\\.cpp\\.o$" "" name ${object})
  string(REPLACE "/" "_" name ${name})
  execute_process(COMMAND ${LINKER} -r -x --force-group-allocation -T ${CMAKE_CURRENT_LIST_DIR}/merge.lds ${object}
    -o ${DIRECTORY}/${name}.o COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND merged ${DIRECTORY}/${name}.o)
endforeach()
file(REMOVE ${LIBRARY})
execute_process(COMMAND ${AR} qcsD ${LIBRARY} ${merged} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${DIRECTORY})
