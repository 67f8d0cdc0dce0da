# cmake -DLINKER=... -DAR=... -DNM=... -DOBJCOPY=... -DLIBRARY=... -DDIRECTORY=... -DPARTS=... -DOBJECTS=... -P merge.cmake
#
# Makes the static library anew of its objects, each with one section of code, no names of what is local, and no groups: the
# headers, names and relocations of a section a function are as many bytes again as the code. A program then links whole objects.
file(REMOVE_RECURSE ${DIRECTORY})
file(MAKE_DIRECTORY ${DIRECTORY})

# A part's kernels for all instruction sets are one object with its table, which calls for every one of them anyway.
set(names "")
foreach(object IN LISTS OBJECTS)
  string(REGEX REPLACE "^.*/cpp/src/|^units/|(_unit)?\\.cpp\\.o$" "" name ${object})
  if(name MATCHES "^kernels/")
    foreach(part IN LISTS PARTS)
      if(name MATCHES "_${part}$")
        set(name kernels_${part})
        break()
      endif()
    endforeach()
  endif()
  string(REPLACE "/" "_" name ${name})
  list(APPEND names ${name})
  list(APPEND objects_of_${name} ${object})
endforeach()
list(REMOVE_DUPLICATES names)
set(merged "")
foreach(name IN LISTS names)
  execute_process(COMMAND ${LINKER} -r -x --force-group-allocation -T ${CMAKE_CURRENT_LIST_DIR}/merge.lds ${objects_of_${name}}
    -o ${DIRECTORY}/${name}.o COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND merged ${DIRECTORY}/${name}.o)
endforeach()

# Weak functions of the standard library, and fanin's own beside its public ones, become local where no other object asks for
# them: every object that calls one has it, so the name is of no use to any other, yet stands in three tables. Functions alone:
# type information and the static variables of inline functions must stay one in a program. Without GNU's tools they keep their
# names: LLVM's objcopy drops no local symbol that a relocation names.
set(tool "")
if(NM AND OBJCOPY)
  execute_process(COMMAND ${OBJCOPY} --version OUTPUT_VARIABLE tool ERROR_QUIET)
endif()
if(tool MATCHES "^GNU objcopy") # another calls itself "compatible with GNU objcopy"
  execute_process(COMMAND ${NM} --format=sysv ${merged} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "\n[^ |\n]+ *\\| +\\| +U " asked_for "${symbols}")
  list(TRANSFORM asked_for REPLACE "^\n([^ |]+).*$" "\\1")
  set(inner "_ZZ|_ZN?K?(St|9__gnu_cxx)|_ZNK?5fanin(6detail|[0-9]+[A-Za-z]+I[df]E5State)") # _ZZ: what stands in a function
  string(REGEX MATCHALL "\n(${inner})[^ |\n]* *\\|[0-9a-f]+\\| +W +\\| +FUNC" local "${symbols}")
  list(TRANSFORM local REPLACE "^\n([^ |]+).*$" "\\1")
  list(REMOVE_DUPLICATES asked_for)
  list(REMOVE_DUPLICATES local)
  list(REMOVE_ITEM local ${asked_for})
  list(JOIN local "\n" local)
  file(WRITE ${DIRECTORY}/local "${local}\n")
  foreach(object IN LISTS merged)
    execute_process(COMMAND ${OBJCOPY} --localize-symbols=${DIRECTORY}/local -x ${object} COMMAND_ERROR_IS_FATAL ANY)
    # Those that a relocation names stay in the table; their names, of up to a thousand letters, become numbers.
    execute_process(COMMAND ${NM} --format=sysv ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "\n(_ZZ|_ZN?K?(St|9__gnu_cxx))[^ |\n]* *\\|[0-9a-f]+\\| +t +\\| +FUNC" kept "${symbols}")
    list(TRANSFORM kept REPLACE "^\n([^ |]+).*$" "\\1")
    list(REMOVE_DUPLICATES kept)
    set(numbered "")
    foreach(symbol IN LISTS kept)
      list(FIND kept ${symbol} number)
      string(APPEND numbered "${symbol} f${number}\n")
    endforeach()
    file(WRITE ${DIRECTORY}/numbered "${numbered}")
    execute_process(COMMAND ${OBJCOPY} --redefine-syms=${DIRECTORY}/numbered ${object} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endif()
file(REMOVE ${LIBRARY})
execute_process(COMMAND ${AR} qcsD ${LIBRARY} ${merged} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${DIRECTORY})
