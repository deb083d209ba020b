# Writes the presets into a source file: cmake -DSOURCE_DIR=... -DOUTPUT=... -P embed_presets.cmake
function(embed function folder)
  file(GLOB files ${SOURCE_DIR}/${folder}/*.yaml)
  list(SORT files)
  list(LENGTH files count)
  set(rows "")
  foreach(path IN LISTS files)
    get_filename_component(name ${path} NAME_WLE)
    file(READ ${path} text)
    string(APPEND rows "    {\"${name}\", \"${folder}/${name}.yaml\", R\"yaml(${text})yaml\"},\n")
  endforeach()
  file(APPEND ${OUTPUT}.new "std::span<const Preset> ${function}() {\n"
    "    static constexpr std::array<Preset, ${count}> kPresets{{\n${rows}    }};\n"
    "    return kPresets;\n}\n\n")
endfunction()

file(WRITE ${OUTPUT}.new "#include \"config/presets.h\"\n\n#include <array>\n\nnamespace sluice::config {\n\n")
embed(upstream_presets config/presets)
embed(serve_presets config/presets/serve)
file(APPEND ${OUTPUT}.new "}  // namespace sluice::config\n")
file(RENAME ${OUTPUT}.new ${OUTPUT})
